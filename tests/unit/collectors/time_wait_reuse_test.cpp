#include "collectors/model/time_wait_reuse.h"

#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using Scope = TimeWaitReuse::Scope;
using test::connection;
using test::minisock;

constexpr TimeWaitReuse::Age kOneSecond{.in_whole_seconds = false, .delay = 1s};
constexpr TimeWaitReuse::Age kWholeSeconds{};

bool is_reusable(Scope scope, const Socket& socket) {
  return TimeWaitReuse(scope, kOneSecond, TimeWaitReuse::Time{1h}).is_reusable(socket);
}

Socket time_wait(const char* local, const char* remote) {
  return minisock(connection(local, 40000, {remote, 80}), 1s);
}

TEST(TimeWaitReuse, FollowsTheScope) {
  const Socket far = time_wait("192.0.2.1", "198.51.100.7");
  const Socket near = time_wait("127.0.0.1", "127.9.9.9");
  EXPECT_FALSE(is_reusable(Scope::kNone, far));
  EXPECT_FALSE(is_reusable(Scope::kNone, near));
  EXPECT_FALSE(is_reusable(Scope::kLoopbackOnly, far));
  EXPECT_TRUE(is_reusable(Scope::kLoopbackOnly, near));
  EXPECT_TRUE(is_reusable(Scope::kEverywhere, far));
  EXPECT_TRUE(is_reusable(Scope::kEverywhere, near));
  EXPECT_FALSE(TimeWaitReuse().is_reusable(near)) << "nothing is known of it";
}

TEST(TimeWaitReuse, KnowsLoopbackByAddressOrDevice) {
  EXPECT_TRUE(is_reusable(Scope::kLoopbackOnly, time_wait("192.0.2.1", "127.0.0.1")));
  EXPECT_TRUE(is_reusable(Scope::kLoopbackOnly, time_wait("127.0.0.1", "192.0.2.1")));
  EXPECT_TRUE(is_reusable(Scope::kLoopbackOnly, time_wait("::1", "::1")));
  EXPECT_TRUE(is_reusable(Scope::kLoopbackOnly, time_wait("::ffff:127.0.0.1", "::ffff:127.0.0.2")));
  EXPECT_FALSE(is_reusable(Scope::kLoopbackOnly, time_wait("10.0.0.1", "10.0.0.1")))
      << "an address of lo that is no loopback address does not count";
  Socket bound = time_wait("10.0.0.1", "10.0.0.1");
  bound.device = 1;
  EXPECT_TRUE(is_reusable(Scope::kLoopbackOnly, bound));
  bound.device = 2;
  EXPECT_FALSE(is_reusable(Scope::kLoopbackOnly, bound));
}

TEST(TimeWaitReuse, NeverTakesOverAnotherState) {
  const Socket full = connection("127.0.0.1", 40000, {"127.0.0.1", 80});
  EXPECT_FALSE(is_reusable(Scope::kEverywhere, full));
  EXPECT_FALSE(is_reusable(Scope::kEverywhere, minisock(full, 1s, TcpState::kFinWait2)));
  Socket without_time = full;
  without_time.state = TcpState::kTimeWait;
  EXPECT_FALSE(is_reusable(Scope::kEverywhere, without_time)) << "its age is not known";
}

TEST(TimeWaitReuse, WantsItOlderThanTheDelay) {
  const auto at = [](std::chrono::milliseconds delay, std::chrono::milliseconds left) {
    return TimeWaitReuse(Scope::kEverywhere, {.in_whole_seconds = false, .delay = delay},
                         TimeWaitReuse::Time{1h})
        .is_reusable(minisock(connection("192.0.2.1", 40000), left));
  };
  EXPECT_FALSE(at(1000ms, 59000ms)) << "as old, not older";
  EXPECT_TRUE(at(1000ms, 58999ms));
  EXPECT_FALSE(at(0ms, 60000ms));
  EXPECT_TRUE(at(0ms, 59999ms));
  EXPECT_FALSE(at(60000ms, 0ms)) << "the largest delay";
  EXPECT_FALSE(at(0ms, 60001ms)) << "it seems to come from the future";
}

TEST(TimeWaitReuse, BeforeTheDelayItWantsAnotherWholeSecond) {
  const auto at = [](std::chrono::milliseconds now, std::chrono::milliseconds age) {
    return TimeWaitReuse(Scope::kEverywhere, kWholeSeconds, TimeWaitReuse::Time{now})
        .is_reusable(minisock(connection("192.0.2.1", 40000), 60s - age));
  };
  EXPECT_FALSE(at(10'999ms, 999ms)) << "both at second 10";
  EXPECT_TRUE(at(10'999ms, 1000ms));
  EXPECT_TRUE(at(11'000ms, 1ms)) << "the clock has reached second 11";
  EXPECT_FALSE(at(11'000ms, 0ms));
  EXPECT_TRUE(at(11'500ms, 60s));
  EXPECT_FALSE(at(10'500ms, -600ms)) << "it seems to come from the future";
}

}  // namespace
}  // namespace timewait
