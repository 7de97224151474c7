#pragma once

#include "daemon/clock.h"

namespace timewait::test {

/// A clock that a test sets.
class FakeClock final : public Clock {
 public:
  SteadyTime time{std::chrono::hours{1}};
  double wall = 1'700'000'000;
  std::chrono::nanoseconds cpu{};

  SteadyTime now() const override { return time; }
  double wall_seconds() const override { return wall; }
  std::chrono::nanoseconds thread_cpu() const override { return cpu; }
};

}  // namespace timewait::test
