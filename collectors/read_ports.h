#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/time_wait_reuse.h"
#include "collectors/parse/sysctl.h"

namespace timewait {

/// The release of the running kernel.
Result<parse::KernelRelease> read_kernel_release(Kernel& kernel);

/// A sysctl below net.ipv4 that is one number, e.g. `tcp_tw_reuse`. One that the kernel does not
/// have is unavailable.
Result<std::int64_t> read_ipv4_sysctl(Kernel& kernel, std::string_view name);

/// The port range and the reserved ports, as connect() would see them at this moment.
Result<EphemeralPorts> read_ephemeral_ports(Kernel& kernel);

/// The sysctls that decide which TIME-WAIT sockets connect() may take over at `now`. Nothing where
/// the kernel does not offer them.
Result<std::optional<TimeWaitReuse>> read_time_wait_reuse(Kernel& kernel, TimeWaitReuse::Time now);

}  // namespace timewait
