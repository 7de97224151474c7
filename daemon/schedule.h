#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "collectors/collector.h"

namespace timewait {

/// Deadlines on a grid of a fixed interval from a start. One that has been missed is counted, not
/// replayed: after a slow poll the next deadline is the next one of the same grid. A poll may ask
/// for a pause that is longer than the interval; deadlines are then left out, not moved.
class Schedule {
 public:
  Schedule(SteadyTime first, std::chrono::milliseconds interval)
      : next_(first), grid_(interval), interval_(interval) {}

  SteadyTime next() const { return next_; }
  bool is_due(SteadyTime now) const { return now >= next_; }

  /// The interval in force: that of the grid, or the multiple of it that the last pause asked for.
  std::chrono::milliseconds interval() const { return interval_; }

  /// Of the poll that is due now, before `advance`: it began at `began`, and until the next one at
  /// least `pause` has to pass.
  void stretch(SteadyTime began, std::chrono::nanoseconds pause) {
    earliest_ = began + pause;
    interval_ = grid_ * std::max<std::int64_t>(round_up(pause), 1);
  }

  /// Moves to the first deadline after `now` that the pause allows, and says how many of the
  /// interval in force were missed on the way.
  std::uint64_t advance(SteadyTime now) {
    if (now < next_) return 0;
    const auto missed = (now - next_) / interval_;
    next_ += grid_ * std::max((now - next_) / grid_ + 1, round_up(earliest_ - next_));
    return static_cast<std::uint64_t>(missed);
  }

 private:
  /// In steps of the grid.
  std::int64_t round_up(std::chrono::nanoseconds duration) const {
    return (duration + grid_ - std::chrono::nanoseconds(1)) / grid_;
  }

  SteadyTime next_;
  SteadyTime earliest_ = next_;
  std::chrono::milliseconds grid_;
  std::chrono::milliseconds interval_;
};

}  // namespace timewait
