#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace timewait::parse {

/// A line of /proc/PID/mountinfo (fs/proc_namespace.c, show_mountinfo):
///
///     43 23 0:13 / /sys/kernel/tracing rw,relatime shared:7 - tracefs tracefs rw
///     99 25 0:4 net:[4026532285] /run/netns/blue rw shared:9 - nsfs nsfs rw
struct Mount {
  std::string_view root;  ///< what of the filesystem is mounted; escaped as the kernel does it
  std::string point;      ///< where
  std::string_view type;  ///< of the filesystem
};

/// Nothing for a line of another form. The views are into the line.
std::optional<Mount> parse_mount(std::string_view line);

/// The inode number of a network namespace in the text that stands for it, `net:[4026532285]`: the
/// root of its mount, and the target of the link /proc/PID/ns/net. Nothing for another text.
std::optional<std::uint64_t> parse_network_namespace(std::string_view text);

}  // namespace timewait::parse
