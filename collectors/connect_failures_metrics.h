#pragma once

#include <array>

#include "collectors/metric.h"

/// Every family that the collector connect_failures emits.
namespace timewait::connect_failures {

inline constexpr MetricDescription kAvailable{
    "timewait_connect_failures_available", MetricType::kGauge,
    "1 if failed connects are counted on every online CPU, else 0."};
inline constexpr MetricDescription kTotal{
    "timewait_connect_failures_total", MetricType::kCounter,
    "connect() calls since the start that found no free port (EADDRNOTAVAIL), of all network "
    "namespaces; exact but for the time in which timewait_connect_failures_available was 0."};
inline constexpr MetricDescription kByDestination{
    "timewait_connect_failures_by_destination_total",
    MetricType::kCounter,
    "connect() calls that found no free port, by what they were for and the process; those beyond "
    "max_destinations have the remote_address other and no other label.",
    {"netns", "local_address", "remote_address", "remote_port", "process"}};
inline constexpr MetricDescription kLost{
    "timewait_connect_failures_lost_total", MetricType::kCounter,
    "Failures of timewait_connect_failures_total that have no destination, because their records "
    "were lost."};

/// The remote_address of what is beyond max_destinations.
inline constexpr std::string_view kOtherDestinations = "other";

inline constexpr std::array kMetrics{kAvailable, kTotal, kByDestination, kLost};

}  // namespace timewait::connect_failures
