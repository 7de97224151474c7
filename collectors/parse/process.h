#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/error.h"

namespace timewait::parse {

/// What /proc/PID/status tells (fs/proc/array.c, proc_pid_status).
struct ProcessStatus {
  /// CapEff: a bit for each capability of linux/capability.h.
  std::uint64_t effective_capabilities = 0;
  /// NSpid: PIDs of the process from the namespace of this /proc inwards. One where the process is
  /// in that very namespace.
  std::size_t pid_namespaces = 0;
};

Result<ProcessStatus> parse_process_status(std::string_view text);

/// /proc/PID/comm: the name of a process, made printable. Any process may give itself any bytes.
std::string parse_process_name(std::string_view comm);

/// The container that a process runs in, by /proc/PID/cgroup (fs/cgroup: proc_cgroup_show): the
/// first 12 digits of its id, as the tools show it. Docker, containerd, CRI-O and Podman name the
/// cgroup after the id, which has 64 hexadecimal digits:
///
///     0::/system.slice/docker-3f4e5a6b7c8d...e1.scope
///
/// Nothing where there is no such name.
std::optional<std::string> parse_container(std::string_view cgroup);

}  // namespace timewait::parse
