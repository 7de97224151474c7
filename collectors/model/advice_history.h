#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "collectors/collector.h"

namespace timewait {

/// What the rules of advice call recent. Long enough that a rule which judges a rise does not come
/// and go from poll to poll.
inline constexpr std::chrono::minutes kRecently{5};

/// How much a counter of the kernel has risen recently. Bounded: it remembers a reading each 15
/// seconds at most.
class RecentRise {
 public:
  /// Takes a reading and gives the rise since five minutes ago, or since the reading before where
  /// that is longer ago; 0 at the first one, when nothing has been watched yet.
  std::uint64_t see(SteadyTime at, std::uint64_t value) {
    if (!readings_.empty() && value < readings_.back().value) readings_.clear();
    while (readings_.size() > 1 && at - readings_[1].at >= kRecently) readings_.pop_front();
    const std::uint64_t rise = readings_.empty() ? 0 : value - readings_.front().value;
    if (readings_.empty() || at - readings_.back().at >= kStep) readings_.push_back({at, value});
    return rise;
  }

  std::size_t remembered() const { return readings_.size(); }

 private:
  static constexpr std::chrono::seconds kStep{15};

  struct Reading {
    SteadyTime at;
    std::uint64_t value;
  };
  std::deque<Reading> readings_;  ///< oldest first
};

/// For how long a count has been at or above a threshold at each look.
class LastingCount {
 public:
  explicit LastingCount(std::uint64_t threshold) : threshold_(threshold) {}

  /// 0 where the count is below the threshold, or has just reached it.
  std::chrono::nanoseconds see(SteadyTime at, std::uint64_t count) {
    if (count < threshold_) {
      since_.reset();
      return {};
    }
    if (!since_) since_ = at;
    return at - *since_;
  }

  /// The count is not known at the moment: what lasted before proves nothing any more.
  void forget() { since_.reset(); }

 private:
  std::uint64_t threshold_;
  std::optional<SteadyTime> since_;
};

}  // namespace timewait
