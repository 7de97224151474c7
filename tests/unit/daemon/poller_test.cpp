#include "daemon/poller.h"

#include <deque>
#include <future>
#include <thread>

#include "tests/support/exposition.h"
#include "tests/support/fake_clock.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::FakeClock;
using test::Samples;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr MetricDescription kValue{
    "timewait_value", MetricType::kGauge, "A value of the test.", {"collector"}};

/// Does what the test says, poll by poll.
class ScriptedCollector final : public Collector {
 public:
  using Step = std::function<Result<void>(CollectorOutput&)>;

  explicit ScriptedCollector(std::deque<Step> steps) : steps_(std::move(steps)) {}

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    const Step step = steps_.front();
    if (steps_.size() > 1) steps_.pop_front();
    return step(out);
  }

 private:
  std::deque<Step> steps_;
};

ScriptedCollector::Step good(const char* name, double value = 1) {
  return [=](CollectorOutput& out) -> Result<void> {
    out.metrics.emit(kValue, value, {name});
    return {};
  };
}

ScriptedCollector::Step bad(const char* name, ErrorReason reason, std::string detail = "broken") {
  return [=](CollectorOutput& out) -> Result<void> {
    out.metrics.emit(kValue, 99, {name});
    return tl::make_unexpected(Error{reason, "/proc/x", detail});
  };
}

PolledCollector polled(const char* name, std::deque<ScriptedCollector::Step> steps,
                       std::chrono::milliseconds interval = 15s) {
  return {name, std::make_unique<ScriptedCollector>(std::move(steps)), interval};
}

class PollerTest : public ::testing::Test {
 protected:
  template <class... Collectors>
  Poller make_poller(Collectors... collectors) {
    std::vector<PolledCollector> all;
    (all.push_back(std::move(collectors)), ...);
    return {std::move(all), "/metrics", clock_, log_, store_};
  }

  Samples samples() const { return Samples(store_.current()->text.plain); }

  std::optional<double> self(const std::string& name, const std::string& collector) const {
    return samples().find("timewait_exporter_collector_" + name + "{collector=\"" + collector +
                          "\"}");
  }
  std::optional<double> value(const std::string& collector) const {
    return samples().find("timewait_value{collector=\"" + collector + "\"}");
  }

  FakeClock clock_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, LogFormat::kLogfmt,
           [this](std::string_view line) { lines_.emplace_back(line); }};
  SnapshotStore store_;
};

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
                                       out.metrics.emit(kValue, 3, {"c"});
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
  EXPECT_THAT(snapshot->landing_page, HasSubstr("href=\"/metrics\""));
}

TEST(PollerThread, StopsWhileItWaits) {
  const SystemClock clock;
  const Log log(LogLevel::kError);
  SnapshotStore store;
  std::vector<PolledCollector> collectors;
  collectors.push_back(polled("c", {good("c")}, 1h));
  Poller poller(std::move(collectors), "/metrics", clock, log, store);
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
  std::promise<void> third_poll;
  int polls = 0;
  std::vector<PolledCollector> collectors;
  collectors.push_back(polled("c", {[&](CollectorOutput&) -> Result<void> {
                                if (++polls == 3) third_poll.set_value();
                                return {};
                              }},
                              10ms));
  Poller poller(std::move(collectors), "/metrics", clock, log, store);
  std::jthread thread([&](const std::stop_token& stop) { poller.run(stop); });
  EXPECT_EQ(third_poll.get_future().wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace timewait
