#include <functional>

#include "tests/unit/daemon/poller_fixture.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::bad;
using test::good;
using test::polled;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Counts its polls, and goes on with the count of the one before.
class CountingCollector final : public Collector {
 public:
  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    out.metrics.emit(test::kValue, ++polls_, {"counting"});
    return {};
  }
  void continue_from(Collector& previous) override {
    polls_ = static_cast<CountingCollector&>(previous).polls_ + 100;
  }

 private:
  double polls_ = 0;
};

PolledCollector counting(const char* option, std::chrono::milliseconds interval = 15s) {
  config::Map options{{"option", {}, {{}, config::Scalar{option}}}};
  return {
      "counting", std::make_unique<CountingCollector>(), interval, {}, {{}, std::move(options)}};
}

class ReconfigureTest : public test::PollerTest {
 protected:
  template <class... Collectors>
  void reconfigure(Poller& poller, Collectors... collectors) {
    std::vector<PolledCollector> all;
    (all.push_back(std::move(collectors)), ...);
    poller.reconfigure(std::move(all), "/other");
  }

  void pass(Poller& poller, std::chrono::seconds time) {
    clock_.time += time;
    poller.poll_due();
  }
};

TEST_F(ReconfigureTest, ACollectorWithTheSameOptionsStaysWithItsDeadline) {
  Poller poller = make_poller(counting("a"));
  poller.poll_due();
  clock_.time += 5s;
  reconfigure(poller, counting("a"));
  EXPECT_EQ(value("counting"), 1) << "it is not due, and its figures stay";
  pass(poller, 9s);
  EXPECT_EQ(value("counting"), 1);
  pass(poller, 1s);
  EXPECT_EQ(value("counting"), 2) << "the same object, at the deadline it had";
}

TEST_F(ReconfigureTest, WithOtherOptionsAnotherGoesOnWithItsCountAtOnce) {
  Poller poller = make_poller(counting("a"));
  poller.poll_due();
  clock_.time += 5s;
  reconfigure(poller, counting("b"));
  EXPECT_EQ(value("counting"), 102);
}

TEST_F(ReconfigureTest, AnotherIntervalBeginsAtOnce) {
  Poller poller = make_poller(counting("a", 1h));
  poller.poll_due();
  clock_.time += 5s;
  reconfigure(poller, counting("a", 10s));
  EXPECT_EQ(value("counting"), 2) << "the same object";
  EXPECT_EQ(self("interval_seconds", "counting"), 10);
  EXPECT_EQ(poller.next_deadline(), clock_.time + 5s) << "on the grid of all";
}

TEST_F(ReconfigureTest, ACollectorComesAndGoes) {
  Poller poller = make_poller(polled("one", {good("one")}), polled("two", {good("two")}));
  poller.poll_due();
  reconfigure(poller, polled("one", {good("one")}), polled("three", {good("three")}));
  EXPECT_EQ(value("one"), 1);
  EXPECT_EQ(value("two"), std::nullopt);
  EXPECT_EQ(self("success", "two"), std::nullopt);
  EXPECT_EQ(value("three"), 1) << "no exposition lacks what the configuration asks for";
}

TEST_F(ReconfigureTest, WhatTheExporterCountsDoesNotFall) {
  Poller poller = make_poller(polled("c", {bad("c", ErrorReason::kIo)}));
  poller.poll_due();
  config::Value other{{}, config::Map{{"x", {}, {}}}};
  PolledCollector changed = polled("c", {bad("c", ErrorReason::kIo)});
  changed.options = std::move(other);
  clock_.time += 1s;
  reconfigure(poller, std::move(changed));
  EXPECT_EQ(samples().find("timewait_exporter_collector_errors_total{collector=\"c\","
                           "reason=\"io\"}"),
            2);
  EXPECT_EQ(samples().find("timewait_exporter_polls_total"), 2);
}

TEST_F(ReconfigureTest, AFailureThatGoesOnIsNotLoggedAgain) {
  Poller poller = make_poller(polled("c", {bad("c", ErrorReason::kIo)}));
  poller.poll_due();
  reconfigure(poller, polled("c", {bad("c", ErrorReason::kIo)}, 10s));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("collector failed")));
}

TEST_F(ReconfigureTest, TheTelemetryPathIsTheSnapshots) {
  Poller poller = make_poller(polled("c", {good("c")}));
  poller.poll_due();
  EXPECT_EQ(store_.current()->telemetry_path, "/metrics");
  reconfigure(poller, polled("c", {good("c")}));
  EXPECT_EQ(store_.current()->telemetry_path, "/other");
  EXPECT_THAT(store_.current()->status_page.html, HasSubstr("/other"));
}

TEST_F(ReconfigureTest, TheMetricsTellOfTheLastReload) {
  constexpr const char* kGood = "timewait_exporter_config_last_reload_successful";
  constexpr const char* kTime = "timewait_exporter_config_last_reload_success_timestamp_seconds";
  clock_.wall = 1000;
  Poller poller = make_poller(polled("c", {good("c")}));
  poller.poll_due();
  EXPECT_EQ(samples().find(kGood), 1);
  EXPECT_EQ(samples().find(kTime), 1000);
  clock_.wall = 2000;
  poller.note_bad_config();
  EXPECT_EQ(samples().find(kGood), 0) << "published at once";
  EXPECT_EQ(samples().find(kTime), 1000);
  EXPECT_EQ(value("c"), 1) << "the figures stay";
  reconfigure(poller, polled("c", {good("c")}));
  EXPECT_EQ(samples().find(kGood), 1);
  EXPECT_EQ(samples().find(kTime), 2000);
}

TEST_F(ReconfigureTest, AFailureOfTheOldOptionsEndsWithTheNew) {
  Poller poller = make_poller(polled("c", {bad("c", ErrorReason::kIo)}));
  poller.poll_due();
  PolledCollector changed = polled("c", {good("c")});
  changed.options = {{}, config::Map{{"x", {}, {}}}};
  reconfigure(poller, std::move(changed));
  EXPECT_EQ(self("success", "c"), 1);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("collector failed"), HasSubstr("recovered")));
}

}  // namespace
}  // namespace timewait
