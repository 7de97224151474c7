#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "collectors/error.h"

namespace timewait::parse {

/// /sys/devices/system/cpu/online: CPUs and ranges of CPUs in rising order, `0-3,8`.
/// At least one.
Result<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text);

}  // namespace timewait::parse
