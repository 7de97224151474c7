#pragma once

#include <span>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/metric.h"

namespace timewait {

/// What one collector's last poll came to; no families and no advice if it failed.
struct CollectorFamilies {
  std::string_view collector;
  const MetricFamilies* families = nullptr;
  std::span<const Advice> advice{};
};

}  // namespace timewait
