#include "daemon/polling_thread.h"

#include <atomic>
#include <future>

#include "tests/unit/daemon/poller_fixture.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::good;
using test::polled;

class PollingThreadTest : public ::testing::Test {
 protected:
  void make_poller(std::deque<test::ScriptedCollector::Step> steps) {
    std::vector<PolledCollector> collectors;
    collectors.push_back(polled("c", std::move(steps), 1h));
    poller_.emplace(std::move(collectors), "/metrics", clock_, log_, store_, manager_);
  }

  const SystemClock clock_{};
  const Log log_{LogLevel::kError};
  const ServiceManager manager_{};
  SnapshotStore store_;
  std::optional<Poller> poller_;
};

TEST_F(PollingThreadTest, RunsATaskBetweenPolls) {
  make_poller({good("c")});
  poller_->poll_due();
  PollingThread thread(*poller_);
  std::thread::id ran_on;
  EXPECT_TRUE(thread.call([&] { ran_on = std::this_thread::get_id(); }, 10s));
  EXPECT_NE(ran_on, std::this_thread::get_id());
  EXPECT_NE(ran_on, std::thread::id());
  EXPECT_TRUE(thread.stop(10s));
}

TEST_F(PollingThreadTest, DoesNotWaitForAPollThatHangsAndForgetsTheTask) {
  std::promise<void> hangs;
  std::promise<void> let_go;
  make_poller({[&](CollectorOutput&) -> Result<void> {
    hangs.set_value();
    let_go.get_future().wait();
    return {};
  }});
  PollingThread thread(*poller_);
  hangs.get_future().wait();
  std::atomic<bool> ran = false;
  EXPECT_FALSE(thread.call([&] { ran = true; }, 10ms));
  EXPECT_FALSE(thread.stop(10ms));
  let_go.set_value();
  EXPECT_FALSE(ran);
}

TEST_F(PollingThreadTest, ATaskThatHasBegunCounts) {
  make_poller({good("c")});
  poller_->poll_due();
  std::promise<void> let_go;
  PollingThread thread(*poller_);
  EXPECT_TRUE(thread.call([&] { let_go.get_future().wait(); }, 50ms));
  let_go.set_value();
  EXPECT_TRUE(thread.call([] {}, 10s));
}

}  // namespace
}  // namespace timewait
