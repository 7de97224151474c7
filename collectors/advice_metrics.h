#pragma once

#include <array>

#include "collectors/metric.h"

/// Every family that the collector advice emits.
namespace timewait::advice {

inline constexpr MetricDescription kAdvice{
    "timewait_advice",
    MetricType::kGauge,
    "1 if the rule of docs/advice.md speaks, else 0; absent where a source of the rule is.",
    {"netns", "rule", "severity"}};

inline constexpr std::array kMetrics{kAdvice};

}  // namespace timewait::advice
