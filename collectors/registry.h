#pragma once

#include <span>
#include <string_view>

#include "collectors/collector.h"

namespace timewait {

/// Every collector, in the order of the list in collectors/CMakeLists.txt, which generates this
/// table.
std::span<const CollectorEntry* const> all_collectors();

/// The collector of that name, or nullptr.
const CollectorEntry* find_collector(std::string_view name);

}  // namespace timewait
