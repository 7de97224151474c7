#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "collectors/steady_time.h"
#include "config/web_config.h"

namespace timewait {

/// A token bucket: full at first, it gains a token each interval. For one thread.
class RateLimiter {
 public:
  /// None: everything is allowed. A limit other than the last one begins with a full bucket.
  void use(const std::optional<config::RateLimit>& limit) {
    if (limit == limit_) return;
    limit_ = limit;
    empty_until_ = SteadyTime::min();
  }

  /// Takes a token, if there is one.
  bool allow(SteadyTime now) {
    if (!limit_) return true;
    // The bucket is as full as the time that it would have taken to fill.
    const SteadyTime full_since = std::max(empty_until_, now - limit_->burst * limit_->interval);
    if (full_since + limit_->interval > now) return false;
    empty_until_ = full_since + limit_->interval;
    return true;
  }

 private:
  std::optional<config::RateLimit> limit_;
  SteadyTime empty_until_ = SteadyTime::min();
};

}  // namespace timewait
