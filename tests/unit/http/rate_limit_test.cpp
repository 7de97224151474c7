#include "daemon/http/rate_limit.h"

#include <chrono>

#include <gtest/gtest.h>

namespace timewait {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

int allowed(RateLimiter& limiter, SteadyTime now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limiter.allow(now) ? 1 : 0;
  return count;
}

RateLimiter make(std::chrono::milliseconds interval, std::int64_t burst) {
  RateLimiter limiter;
  limiter.use(config::RateLimit{interval, burst});
  return limiter;
}

TEST(RateLimiter, AllowsEverythingWithoutALimit) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, kStart, 1000), 1000);
  limiter.use(std::nullopt);
  EXPECT_EQ(allowed(limiter, kStart, 1000), 1000);
}

TEST(RateLimiter, AllowsABurstAndThenOneEachInterval) {
  RateLimiter limiter = make(100ms, 5);
  EXPECT_EQ(allowed(limiter, kStart, 10), 5);
  EXPECT_EQ(allowed(limiter, kStart + 99ms, 10), 0);
  EXPECT_EQ(allowed(limiter, kStart + 100ms, 10), 1);
  EXPECT_EQ(allowed(limiter, kStart + 350ms, 10), 2);
  EXPECT_EQ(allowed(limiter, kStart + 399ms, 10), 0);
  EXPECT_EQ(allowed(limiter, kStart + 400ms, 10), 1);
}

TEST(RateLimiter, NeverAllowsMoreThanABurst) {
  RateLimiter limiter = make(1ms, 3);
  EXPECT_EQ(allowed(limiter, kStart, 10), 3);
  EXPECT_EQ(allowed(limiter, kStart + 24h, 10), 3);
}

TEST(RateLimiter, GoesOnWhereTheLimitStaysAndBeginsAnewWhereItChanges) {
  RateLimiter limiter = make(1s, 2);
  EXPECT_EQ(allowed(limiter, kStart, 10), 2);
  limiter.use(config::RateLimit{1s, 2});
  EXPECT_EQ(allowed(limiter, kStart, 10), 0);
  limiter.use(config::RateLimit{1s, 3});
  EXPECT_EQ(allowed(limiter, kStart, 10), 3);
}

TEST(RateLimiter, TakesTheLargestLimit) {
  RateLimiter limiter = make(1h, 1'000'000);
  EXPECT_EQ(allowed(limiter, kStart, 1'000), 1'000);
}

}  // namespace
}  // namespace timewait
