#pragma once

#include <chrono>

#include "collectors/collector.h"

namespace timewait {

/// The clocks that the daemon reads, behind an interface so that tests decide what time it is.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  Clock(Clock&&) = delete;
  Clock& operator=(Clock&&) = delete;
  virtual ~Clock() = default;

  virtual SteadyTime now() const = 0;
  /// Seconds since 1970, for timestamps that are shown.
  virtual double wall_seconds() const = 0;
  /// CPU time of the calling thread.
  virtual std::chrono::nanoseconds thread_cpu() const = 0;
};

/// CLOCK_MONOTONIC, CLOCK_REALTIME and CLOCK_THREAD_CPUTIME_ID.
class SystemClock final : public Clock {
 public:
  SteadyTime now() const override;
  double wall_seconds() const override;
  std::chrono::nanoseconds thread_cpu() const override;
};

}  // namespace timewait
