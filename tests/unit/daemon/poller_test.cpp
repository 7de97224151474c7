#include "daemon/poller.h"

#include <sys/eventfd.h>

#include <cmath>
#include <deque>
#include <future>
#include <random>
#include <thread>

#include "daemon/file_descriptor.h"
#include "daemon/http/request_handler.h"
#include "tests/support/seed.h"
#include "tests/unit/daemon/poller_fixture.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using test::bad;
using test::good;
using test::polled;
using test::PollerTest;
using test::ScriptedCollector;

TEST_F(PollerTest, AFailingCollectorPublishesNothingHalfAndHidesNoOther) {
  Poller poller = make_poller(polled("broken", {bad("broken", ErrorReason::kMalformed)}),
                              polled("sound", {good("sound", 5)}));
  poller.poll_due();
  EXPECT_EQ(value("sound"), 5);
  EXPECT_EQ(value("broken"), std::nullopt) << "what it had emitted before it failed must not show";
  EXPECT_EQ(self("success", "sound"), 1);
  EXPECT_EQ(self("success", "broken"), 0);
  EXPECT_FALSE(poller.all_succeeded());
}

TEST_F(PollerTest, CountsErrorsByReasonFromZero) {
  Poller poller = make_poller(
      polled("c", {bad("c", ErrorReason::kPermission), bad("c", ErrorReason::kPermission)}));
  poller.poll_due();
  clock_.time += 15s;
  poller.poll_due();
  const auto errors = [&](const std::string& reason) {
    return samples().find("timewait_exporter_collector_errors_total{collector=\"c\",reason=\"" +
                          reason + "\"}");
  };
  EXPECT_EQ(errors("permission"), 2);
  EXPECT_EQ(errors("unavailable"), 0);
  EXPECT_EQ(errors("io"), 0);
  EXPECT_EQ(errors("malformed"), 0);
  EXPECT_EQ(errors("interrupted"), 0);
}

TEST_F(PollerTest, APartialFailureKeepsTheRest) {
  Poller poller = make_poller(polled("c", {[](CollectorOutput& out) -> Result<void> {
                                       out.metrics.emit(test::kValue, 3, {"c"});
                                       out.report({ErrorReason::kIo, "/proc/y", "no"});
                                       return {};
                                     }}));
  poller.poll_due();
  EXPECT_EQ(value("c"), 3);
  EXPECT_EQ(self("success", "c"), 0);
  EXPECT_EQ(self("last_success_timestamp_seconds", "c"), std::nullopt);
}

TEST_F(PollerTest, LogsAFailureOncePerChange) {
  Poller poller =
      make_poller(polled("c", {bad("c", ErrorReason::kMalformed, "line 1"),
                               bad("c", ErrorReason::kMalformed, "line 2"),
                               bad("c", ErrorReason::kPermission), good("c"), good("c")}));
  for (int i = 0; i < 5; ++i) {
    poller.poll_due();
    clock_.time += 15s;
  }
  EXPECT_THAT(lines_,
              ElementsAre(HasSubstr("reason=malformed err=\"/proc/x: line 1\""),
                          HasSubstr("reason=permission"), HasSubstr("collector recovered")));
}

TEST_F(PollerTest, LogsANoticeOncePerChange) {
  const auto notice = [](CollectorOutput& out) -> Result<void> {
    out.notice({ErrorReason::kUnavailable, "netlink", "slower"});
    return {};
  };
  Poller poller = make_poller(polled("c", {notice, notice, good("c")}));
  for (int i = 0; i < 3; ++i) {
    poller.poll_due();
    EXPECT_EQ(self("success", "c"), 1) << "a notice is no error";
    clock_.time += 15s;
  }
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("goes on in another way"), HasSubstr("back on")));
}

TEST_F(PollerTest, AFailureIsNotTakenForTheUsualWay) {
  const auto notice = [](CollectorOutput& out) -> Result<void> {
    out.notice({ErrorReason::kUnavailable, "netlink", "slower"});
    return {};
  };
  Poller poller = make_poller(polled("c", {notice, bad("c", ErrorReason::kIo), notice}));
  for (int i = 0; i < 3; ++i) {
    poller.poll_due();
    clock_.time += 15s;
  }
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("goes on in another way"), HasSubstr("failed"),
                                  HasSubstr("recovered")));
}

ScriptedCollector::Step advising(std::vector<Advice> advice) {
  return [=](CollectorOutput& out) -> Result<void> {
    for (const Advice& given : advice) out.advise(given);
    return {};
  };
}

TEST_F(PollerTest, LogsAdviceWhenItBeginsToHoldAndWhenItNoLongerDoes) {
  const Advice recycle{"recycle", Severity::kCritical, "it is 1", "page#recycle"};
  const Advice more{"recycle", Severity::kCritical, "it is 2", "page#recycle"};
  const Advice narrow{"narrow", Severity::kInfo, "12 of 28232", "page#narrow"};
  Poller poller = make_poller(polled("c", {advising({recycle}), advising({more, narrow}),
                                           advising({narrow}), advising({}), advising({})}));
  for (int i = 0; i < 5; ++i) {
    poller.poll_due();
    EXPECT_EQ(self("success", "c"), 1) << "advice is no error";
    clock_.time += 15s;
  }
  EXPECT_THAT(
      lines_,
      ElementsAre(HasSubstr("level=warn msg=advice collector=c rule=recycle severity=critical "
                            "evidence=\"it is 1\" page=page#recycle"),
                  HasSubstr("level=info msg=advice collector=c rule=narrow severity=info "
                            "evidence=\"12 of 28232\" page=page#narrow"),
                  HasSubstr("level=info msg=\"advice no longer holds\" collector=c rule=recycle"),
                  HasSubstr("level=info msg=\"advice no longer holds\" collector=c rule=narrow")));
}

TEST_F(PollerTest, LogsAdviceOfSeverityWarningAsAWarning) {
  Poller poller = make_poller(polled("c", {advising({{"r", Severity::kWarning, "x", "p"}})}));
  poller.poll_due();
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("level=warn msg=advice")));
}

TEST_F(PollerTest, AFailureIsNotTakenForTheEndOfAnAdvice) {
  const Advice advice{"r", Severity::kInfo, "x", "p"};
  Poller poller = make_poller(
      polled("c", {advising({advice}), bad("c", ErrorReason::kIo), advising({advice})}));
  for (int i = 0; i < 3; ++i) {
    poller.poll_due();
    clock_.time += 15s;
  }
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("msg=advice"), HasSubstr("collector failed"),
                                  HasSubstr("recovered")));
}

TEST_F(PollerTest, EachCollectorHasItsInterval) {
  Poller poller = make_poller(polled("fast", {good("fast", 1), good("fast", 2)}, 10s),
                              polled("slow", {good("slow", 1), good("slow", 2)}, 60s));
  poller.poll_due();
  EXPECT_EQ(poller.next_deadline(), clock_.time + 10s);
  clock_.time += 10s;
  poller.poll_due();
  EXPECT_EQ(value("fast"), 2);
  EXPECT_EQ(value("slow"), 1) << "between its polls a collector's figures stay";
  EXPECT_EQ(self("interval_seconds", "slow"), 60);
  clock_.time += 50s;
  poller.poll_due();
  EXPECT_EQ(value("slow"), 2);
}

TEST_F(PollerTest, DoesNothingBeforeTheDeadline) {
  Poller poller = make_poller(polled("c", {good("c", 1), good("c", 2)}));
  poller.poll_due();
  const auto first = store_.current();
  clock_.time += 14999ms;
  poller.poll_due();
  EXPECT_EQ(store_.current(), first);
}

TEST_F(PollerTest, CountsMissedDeadlinesAndDoesNotReplayThem) {
  Poller poller = make_poller(polled("c", {[this](CollectorOutput&) -> Result<void> {
                                       clock_.time += 40s;
                                       return {};
                                     }}));
  const SteadyTime start = clock_.time;
  poller.poll_due();
  EXPECT_EQ(samples().find("timewait_exporter_poll_overruns_total"), 2);
  EXPECT_EQ(samples().find("timewait_exporter_polls_total"), 1);
  EXPECT_EQ(poller.next_deadline(), start + 45s) << "the next deadline is of the same grid";
}

TEST_F(PollerTest, CountsAMissedDeadlineOncePerRound) {
  const auto slow = [this](CollectorOutput&) -> Result<void> {
    clock_.time += 10s;
    return {};
  };
  Poller poller = make_poller(polled("a", {slow}), polled("b", {slow}));
  poller.poll_due();
  EXPECT_EQ(samples().find("timewait_exporter_poll_overruns_total"), 1);
}

TEST_F(PollerTest, CpuTimeOnlyGrows) {
  Poller poller = make_poller(polled("c", {[this](CollectorOutput&) -> Result<void> {
                                       clock_.cpu += 250ms;
                                       return {};
                                     }}));
  poller.poll_due();
  clock_.time += 15s;
  poller.poll_due();
  EXPECT_EQ(self("cpu_seconds_total", "c"), 0.5);
}

TEST_F(PollerTest, RendersBothFormatsAndTheirCompressedForms) {
  Poller poller = make_poller(polled("c", {good("c")}));
  poller.poll_due();
  const auto snapshot = store_.current();
  EXPECT_THAT(snapshot->open_metrics.plain, ::testing::EndsWith("\n# EOF\n"));
  EXPECT_THAT(snapshot->text.plain, ::testing::Not(HasSubstr("# EOF")));
  EXPECT_EQ(snapshot->text.gzip.substr(0, 2), "\x1f\x8b");
  EXPECT_LT(snapshot->text.gzip.size(), snapshot->text.plain.size());
  ASSERT_EQ(snapshot->collectors.size(), 1U);
  EXPECT_EQ(snapshot->collectors[0].collector, "c");
  EXPECT_THAT(snapshot->status_page.html, HasSubstr("href=\"/metrics\""));
}

/// A budget of 2 % and an interval of 15 seconds: a poll may take 285 milliseconds of CPU time.
class CpuBudgetTest : public PollerTest {
 protected:
  static constexpr double kBudget = 0.02;

  /// A poll of that cost, which takes as long if it does not wait for the CPU.
  ScriptedCollector::Step costing(std::chrono::nanoseconds cpu,
                                  std::chrono::nanoseconds wait = {}) {
    return [=, this](CollectorOutput&) -> Result<void> {
      clock_.cpu += cpu;
      clock_.time += cpu + wait;
      return {};
    };
  }

  static PolledCollector budgeted(std::deque<ScriptedCollector::Step> steps) {
    return polled("c", std::move(steps), 15s, kBudget);
  }

  /// The interval in force after each of so many polls, each of them at its deadline.
  std::vector<double> intervals(Poller& poller, int polls) {
    std::vector<double> found;
    for (int i = 0; i < polls; ++i) {
      clock_.time = poller.next_deadline();
      poller.poll_due();
      found.push_back(self("interval_seconds", "c").value_or(0));
    }
    return found;
  }

  double overruns() const {
    return samples().find("timewait_exporter_poll_overruns_total").value_or(-1);
  }
};

TEST_F(CpuBudgetTest, APollIsPaidForBeforeTheNextOne) {
  const SteadyTime start = clock_.time;
  Poller poller = make_poller(
      budgeted({costing(280ms), costing(310ms), costing(560ms), costing(1s), costing(1ms)}));
  std::vector<std::chrono::nanoseconds> deadlines;
  for (int i = 0; i < 5; ++i) {
    clock_.time = poller.next_deadline();
    poller.poll_due();
    deadlines.push_back(poller.next_deadline() - start);
  }
  EXPECT_THAT(deadlines, ElementsAre(15s, 45s, 75s, 135s, 150s))
      << "14.5, 15.5, 29.5, 50 and 0.05 seconds, each up to the next deadline of the grid";
}

TEST_F(CpuBudgetTest, TheMetricShowsTheIntervalInForce) {
  Poller poller = make_poller(
      budgeted({costing(280ms), costing(310ms), costing(1s), costing(310ms), costing(1ms)}));
  EXPECT_THAT(intervals(poller, 5), ElementsAre(15, 30, 60, 30, 15));
}

TEST_F(CpuBudgetTest, TheFirstPollIsPaidForToo) {
  const SteadyTime start = clock_.time;
  Poller poller = make_poller(budgeted({costing(1900ms)}));
  poller.poll_due();
  EXPECT_EQ(poller.next_deadline(), start + 105s);
}

TEST_F(CpuBudgetTest, AFailedPollIsPaidForToo) {
  const auto fail = [this](CollectorOutput&) -> Result<void> {
    clock_.cpu += 1s;
    return tl::make_unexpected(Error{ErrorReason::kInterrupted, "netlink", "again"});
  };
  Poller poller = make_poller(budgeted({fail}));
  EXPECT_THAT(intervals(poller, 2), ElementsAre(60, 60));
}

TEST_F(CpuBudgetTest, WithoutABudgetAnyPriceIsPaid) {
  Poller poller = make_poller(polled("c", {costing(1s)}));
  EXPECT_THAT(intervals(poller, 3), ElementsAre(15, 15, 15));
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(CpuBudgetTest, TheOthersKeepTheirInterval) {
  const SteadyTime start = clock_.time;
  Poller poller = make_poller(budgeted({costing(1s)}), polled("other", {good("other")}));
  poller.poll_due();
  EXPECT_EQ(poller.next_deadline(), start + 15s);
  EXPECT_EQ(self("interval_seconds", "other"), 15);
  EXPECT_EQ(self("interval_seconds", "c"), 60);
}

TEST_F(CpuBudgetTest, APollThatBeganLateIsPaidForFromThere) {
  const SteadyTime start = clock_.time;
  const auto slow = [this](CollectorOutput&) -> Result<void> {
    clock_.time += 5s;
    return {};
  };
  Poller poller = make_poller(polled("slow", {slow}, 1h), budgeted({costing(280ms)}));
  poller.poll_due();
  EXPECT_EQ(poller.next_deadline(), start + 30s) << "19.5 seconds after the deadline it had";
  EXPECT_EQ(self("interval_seconds", "c"), 15) << "the poll itself is not too dear";
}

TEST_F(CpuBudgetTest, ADeadlineThatIsLeftOutForTheBudgetIsNoOverrun) {
  Poller poller = make_poller(budgeted({costing(1s), costing(310ms), costing(1s, 20s)}));
  intervals(poller, 3);
  EXPECT_EQ(overruns(), 0);
}

TEST_F(CpuBudgetTest, AMissedDeadlineOfTheIntervalInForceIsAnOverrun) {
  const SteadyTime start = clock_.time;
  Poller poller = make_poller(budgeted({costing(400ms, 40s)}));
  poller.poll_due();
  EXPECT_EQ(self("interval_seconds", "c"), 30);
  EXPECT_EQ(overruns(), 1) << "of 15 and 30 seconds, the second was in force";
  EXPECT_EQ(poller.next_deadline(), start + 45s) << "the grid stays, and the poll is paid for";
}

TEST_F(CpuBudgetTest, LogsWhenItStretchesAndWhenItIsBack) {
  Poller poller = make_poller(
      budgeted({costing(1ms), costing(1s), costing(2s), costing(1s), costing(2ms), costing(1ms)}));
  intervals(poller, 23);
  EXPECT_EQ(lines_.size(), 1U) << "19 polls at its interval may be chance";
  intervals(poller, 1);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("level=warn msg=\"collector is polled less often to "
                                            "stay within its CPU budget\" collector=c "
                                            "interval=1m cpu_seconds=1 cpu_budget_ratio=0.02"),
                                  HasSubstr("level=info msg=\"collector is polled at its "
                                            "configured interval again\" collector=c "
                                            "interval=15s cpu_seconds=0.001 "
                                            "cpu_budget_ratio=0.02")));
}

TEST_F(CpuBudgetTest, ACostThatWaversAboutTheBudgetIsLoggedOnce) {
  Poller poller = make_poller(budgeted({costing(310ms), costing(280ms), costing(310ms),
                                        costing(280ms), costing(310ms), costing(280ms)}));
  EXPECT_THAT(intervals(poller, 6), ElementsAre(30, 15, 30, 15, 30, 15));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("less often")));
}

TEST_F(CpuBudgetTest, ADearPollNowAndThenIsLoggedOnce) {
  std::deque<ScriptedCollector::Step> steps;
  for (int i = 0; i < 64; ++i) steps.push_back(costing(i % 16 == 0 ? 450ms : 200ms));
  Poller poller = make_poller(budgeted(std::move(steps)));
  intervals(poller, 64);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("less often")));
}

TEST_F(CpuBudgetTest, ReadinessFollowsTheIntervalInForce) {
  Poller poller = make_poller(budgeted({costing(1s), costing(1ms)}));
  const RequestHandler handler(store_, [this] { return clock_.time; });
  const auto ready = [&] { return handler.handle({"GET", "/-/ready", {}, {}}).status; };
  poller.poll_due();
  const SteadyTime first = clock_.time;
  clock_.time = first + 3 * 60s - 1ms;
  EXPECT_EQ(ready(), 200U);
  clock_.time = first + 3 * 60s;
  EXPECT_EQ(ready(), 503U);
  poller.poll_due();
  clock_.time += 3 * 15s;
  EXPECT_EQ(ready(), 503U) << "it is back at 15 seconds";
}

TEST_F(CpuBudgetTest, TheCollectorThatIsPolledMostOftenDecidesOnReadiness) {
  Poller poller = make_poller(budgeted({costing(1s)}), polled("other", {good("other")}));
  poller.poll_due();
  EXPECT_EQ(store_.current()->interval, 15s);
}

TEST_F(CpuBudgetTest, NoBudgetIsTooSmallToReckonWith) {
  Poller poller = make_poller(polled("c", {costing(1h)}, 10ms, 1e-300));
  poller.poll_due();
  EXPECT_GT(poller.next_deadline() - clock_.time, 24h * 300);
}

TEST_F(CpuBudgetTest, WhateverThePollsCostTheBudgetIsKept) {
  std::mt19937 random(test::choose_seed());
  std::uniform_real_distribution<double> magnitude(-4, 1);  // 0.1 milliseconds to 10 seconds
  std::uniform_int_distribution<int> microseconds(0, 5000);
  std::chrono::nanoseconds cost{};
  const auto draw = [&](CollectorOutput&) -> Result<void> {
    cost = std::chrono::nanoseconds(std::llround(1e9 * std::pow(10, magnitude(random))));
    clock_.cpu += cost;
    clock_.time += cost + std::chrono::microseconds(microseconds(random));
    return {};
  };
  Poller poller = make_poller(budgeted({draw}));
  const SteadyTime start = clock_.time;
  for (int i = 0; i < 2000; ++i) {
    clock_.time = poller.next_deadline() + std::chrono::microseconds(microseconds(random));
    const SteadyTime began = clock_.time;
    poller.poll_due();
    const SteadyTime next = poller.next_deadline();
    const std::chrono::duration<double> pause = next - began;
    ASSERT_LE(std::chrono::duration<double>(cost) / pause, kBudget + 1e-9) << "poll " << i;
    ASSERT_EQ((next - start) % 15s, 0ns) << "poll " << i << " left the grid";
  }
  const std::chrono::duration<double> elapsed = poller.next_deadline() - start;
  EXPECT_LE(std::chrono::duration<double>(clock_.cpu) / elapsed, kBudget + 1e-9);
  EXPECT_EQ(overruns(), 0);
}

/// Has events as soon as its descriptor is readable, and counts how often they are taken.
class EventCollector final : public Collector {
 public:
  EventCollector() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& /*out*/) override { return {}; }
  std::span<const int> event_descriptors() const override {
    return has_descriptors ? std::span(&descriptor_, 1) : std::span<const int>();
  }
  void take_events() override {
    eventfd_t count = 0;
    ::eventfd_read(event_.get(), &count);
    if (on_events) on_events();
  }

  void fire() const { ::eventfd_write(event_.get(), 1); }

  bool has_descriptors = true;
  std::function<void()> on_events;

 private:
  FileDescriptor event_;
  int descriptor_ = event_.get();
};

class PollerEvents : public PollerTest {
 protected:
  PollerEvents() {
    auto made = std::make_unique<EventCollector>();
    events_ = made.get();
    events_->on_events = [this] {
      ++taken_;
      clock_.cpu += cost_;
    };
    std::vector<PolledCollector> collectors;
    collectors.push_back({"c", std::move(made), 15s});
    poller_.emplace(std::move(collectors), "/metrics", clock_, log_, store_, manager_);
  }

  EventCollector* events_ = nullptr;
  std::optional<Poller> poller_;
  std::chrono::nanoseconds cost_{};
  int taken_ = 0;
};

TEST_F(PollerEvents, AreTakenBetweenPollsAndPublishedWithTheNext) {
  poller_->poll_due();
  const auto first = store_.current();
  cost_ = 10ms;
  poller_->take_events();
  EXPECT_EQ(taken_, 1);
  EXPECT_EQ(store_.current(), first);
  clock_.time += 15s;
  poller_->poll_due();
  EXPECT_EQ(self("cpu_seconds_total", "c"), 0.01) << "what they cost is the collector's";
}

TEST_F(PollerEvents, AreNotLookedForWithoutADescriptor) {
  events_->has_descriptors = false;
  poller_->take_events();
  EXPECT_EQ(taken_, 0);
}

TEST_F(PollerEvents, TakeNoMoreThanTheirShareOfACore) {
  cost_ = 1ms;
  const SteadyTime start = clock_.time;
  // Asked for without a pause, for two minutes.
  for (; clock_.time < start + 2min; clock_.time += 1ms) poller_->take_events();
  EXPECT_LE(clock_.cpu, 675ms) << "half a percent of two minutes and of fifteen seconds before";
  EXPECT_GE(clock_.cpu, 670ms);
}

TEST_F(PollerEvents, AfterAQuietTimeABurstIsTakenAtOnce) {
  cost_ = 1ms;
  for (int i = 0; i < 100; ++i) poller_->take_events();
  EXPECT_EQ(taken_, 76) << "fifteen seconds' worth are 75 ms, and the last one may be dear";
  clock_.time += 1h;
  for (int i = 0; i < 100; ++i) poller_->take_events();
  EXPECT_EQ(taken_, 76 + 76) << "an hour saves no more";
}

TEST(PollerThread, TakesEventsAsTheyCome) {
  const SystemClock clock;
  const Log log(LogLevel::kError);
  SnapshotStore store;
  const ServiceManager manager;
  auto made = std::make_unique<EventCollector>();
  const EventCollector& events = *made;
  std::promise<void> third;
  int taken = 0;
  made->on_events = [&] {
    if (++taken == 3) return third.set_value();
    if (taken < 3) events.fire();
  };
  std::vector<PolledCollector> collectors;
  collectors.push_back({"c", std::move(made), 1h});
  Poller poller(std::move(collectors), "/metrics", clock, log, store, manager);
  poller.poll_due();
  std::jthread thread([&](const std::stop_token& stop) { poller.run(stop); });
  events.fire();
  EXPECT_EQ(third.get_future().wait_for(10s), std::future_status::ready);
}

TEST(PollerThread, StopsWhileItWaits) {
  const SystemClock clock;
  const Log log(LogLevel::kError);
  SnapshotStore store;
  const ServiceManager manager;
  std::vector<PolledCollector> collectors;
  collectors.push_back(polled("c", {good("c")}, 1h));
  Poller poller(std::move(collectors), "/metrics", clock, log, store, manager);
  poller.poll_due();
  const SteadyTime start = clock.now();
  {
    std::jthread thread([&](const std::stop_token& stop) { poller.run(stop); });
  }
  EXPECT_LT(clock.now() - start, 1s);
}

TEST(PollerThread, PollsAtItsInterval) {
  const SystemClock clock;
  const Log log(LogLevel::kError);
  SnapshotStore store;
  const ServiceManager manager;
  std::promise<void> third_poll;
  int polls = 0;
  std::vector<PolledCollector> collectors;
  collectors.push_back(polled("c", {[&](CollectorOutput&) -> Result<void> {
                                if (++polls == 3) third_poll.set_value();
                                return {};
                              }},
                              10ms));
  Poller poller(std::move(collectors), "/metrics", clock, log, store, manager);
  std::jthread thread([&](const std::stop_token& stop) { poller.run(stop); });
  EXPECT_EQ(third_poll.get_future().wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace timewait
