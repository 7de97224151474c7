#pragma once

#include <chrono>
#include <cstdint>

#include "collectors/collector.h"

namespace timewait {

/// Deadlines at a fixed interval from a start. One that has been missed is counted, not replayed:
/// after a slow poll the next deadline is the next one of the same grid.
class Schedule {
 public:
  Schedule(SteadyTime first, std::chrono::milliseconds interval)
      : next_(first), interval_(interval) {}

  SteadyTime next() const { return next_; }
  bool is_due(SteadyTime now) const { return now >= next_; }

  /// Moves to the first deadline after `now` and says how many were missed on the way.
  std::uint64_t advance(SteadyTime now) {
    if (now < next_) return 0;
    const auto missed = (now - next_) / interval_;
    next_ += interval_ * (missed + 1);
    return static_cast<std::uint64_t>(missed);
  }

 private:
  SteadyTime next_;
  std::chrono::milliseconds interval_;
};

}  // namespace timewait
