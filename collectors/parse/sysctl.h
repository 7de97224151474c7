#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "collectors/error.h"
#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/port_set.h"

namespace timewait::parse {

/// The numbers of a sysctl file, at least one and at most 8, parted by blanks.
Result<std::vector<std::int64_t>> parse_sysctl_numbers(std::string_view text);

/// net.ipv4.ip_local_port_range: two ports, the second not below the first.
Result<PortRange> parse_port_range(std::string_view text);

/// net.ipv4.ip_local_reserved_ports: ports and ranges of ports, or an empty line.
Result<PortSet> parse_port_list(std::string_view text);

/// A release of the kernel, sys/kernel/osrelease, e.g. `6.1.0-18-amd64`.
struct KernelRelease {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 stumbles over a defaulted <=>.
  friend auto operator<=>(const KernelRelease&, const KernelRelease&) = default;
};
Result<KernelRelease> parse_kernel_release(std::string_view text);

}  // namespace timewait::parse
