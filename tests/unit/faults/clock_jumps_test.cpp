#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/findings.h"
#include "collectors/registry.h"
#include "daemon/http/request_handler.h"
#include "daemon/poller.h"
#include "daemon/service_manager.h"
#include "tests/support/exposition.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_collector.h"
#include "tests/unit/faults/faulty_kernel.h"

namespace timewait::test {
namespace {

using namespace std::chrono_literals;

/// All collectors of a host on which nothing happens, polled every 15 seconds.
class ClockJumps : public testing::Test {
 protected:
  ClockJumps() {
    poll();
    pass(15s);
    poll();
    before_ = samples();
  }

  void pass(std::chrono::nanoseconds time) { clock_.time += time; }
  void poll() { poller_.poll_due(); }
  Samples samples() const { return Samples(store_.current()->text.plain); }
  unsigned ready() const { return handler_.handle({"GET", "/-/ready", "", ""}).status; }
  double self(const std::string& name) const {
    return samples().find("timewait_exporter_" + name).value_or(-1);
  }

  /// What is published of the host is what it was, and no counter has fallen.
  void expect_the_same_figures() const {
    const Samples now = samples();
    for (const auto& [series, value] : before_.all()) {
      if (series.starts_with("process_") || series.find("_seconds") != std::string::npos) continue;
      const auto found = now.find(series);
      ASSERT_TRUE(found) << series << " is gone";
      if (!series.starts_with("timewait_exporter_")) {
        EXPECT_EQ(*found, value) << series;
      } else if (series.find("_total") != std::string::npos) {
        EXPECT_GE(*found, value) << series;
      } else if (series.find("_success{") != std::string::npos) {
        EXPECT_EQ(*found, 1) << series;
      }
    }
  }

  Samples before_{std::string()};
  FakeClock clock_;
  FaultyKernel kernel_{std::filesystem::path(TIMEWAIT_SOURCE_DIR) / "tests/fixtures/linux-6.18",
                       clock_, /*seed=*/1};
  SnapshotStore store_;

 private:
  std::vector<PolledCollector> make_collectors() {
    std::vector<PolledCollector> collectors;
    for (const CollectorEntry* const entry : all_collectors()) {
      collectors.push_back(
          {.name = entry->name,
           .collector = make_collector(entry->name, kernel_, "", nullptr, &findings_),
           .interval = 15s});
    }
    return collectors;
  }

  Findings findings_;
  Log log_{LogLevel::kError, LogFormat::kLogfmt, [](std::string_view) {}};
  ServiceManager manager_;
  Poller poller_{make_collectors(), "/metrics", clock_, log_, store_, manager_};
  RequestHandler handler_{store_, [this] { return clock_.time; }};
};

TEST_F(ClockJumps, TheWallClockSetBackChangesATimestampAndNothingElse) {
  const double polls = self("polls_total");
  clock_.wall -= 86'400;
  EXPECT_EQ(ready(), 200);
  pass(15s);
  poll();
  EXPECT_EQ(self("polls_total"), polls + 1) << "the grid of polls is not the wall clock's";
  EXPECT_EQ(self("snapshot_timestamp_seconds"), clock_.wall);
  EXPECT_EQ(self("poll_overruns_total"), 0);
  EXPECT_EQ(ready(), 200);
  expect_the_same_figures();
}

TEST_F(ClockJumps, TheWallClockSetForwardMakesNothingOld) {
  const double polls = self("polls_total");
  clock_.wall += 365.0 * 86'400;
  EXPECT_EQ(ready(), 200);
  poll();
  EXPECT_EQ(self("polls_total"), polls) << "nothing is due";
  pass(15s);
  poll();
  EXPECT_EQ(self("snapshot_timestamp_seconds"), clock_.wall);
  EXPECT_EQ(self("poll_overruns_total"), 0);
  expect_the_same_figures();
}

TEST_F(ClockJumps, AfterALongStopItPollsOnceAndCountsWhatItMissed) {
  const double polls = self("polls_total");
  pass(8h);
  EXPECT_EQ(ready(), 503);
  poll();
  EXPECT_EQ(self("polls_total"), polls + 1);
  EXPECT_EQ(self("poll_overruns_total"), 8 * 3600 / 15 - 1);
  EXPECT_EQ(ready(), 200);
  expect_the_same_figures();
  pass(15s);
  poll();
  EXPECT_EQ(self("polls_total"), polls + 2);
  EXPECT_EQ(self("poll_overruns_total"), 8 * 3600 / 15 - 1);
  expect_the_same_figures();
}

}  // namespace
}  // namespace timewait::test
