#pragma once

#include <filesystem>
#include <string>

#include <tl/expected.hpp>

namespace timewait::test {

/// Moves the process into a mount namespace of its own, in which tracefs is mounted nowhere but on
/// the directory that is given. What it starts from then on sees the same.
tl::expected<void, std::string> enter_mount_namespace_with_tracefs(
    const std::filesystem::path& directory);

/// In a mount namespace of the process's own: that type of filesystem, without a device.
tl::expected<void, std::string> mount_filesystem(const std::string& type,
                                                 const std::filesystem::path& directory);
tl::expected<void, std::string> unmount(const std::filesystem::path& directory);

/// Gives the network namespace of this thread a name, as `ip netns` does: the file's.
tl::expected<void, std::string> name_network_namespace(const std::filesystem::path& file);

}  // namespace timewait::test
