#include "daemon/status_page/recent_failures.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/status_page/sample_host.h"

namespace timewait::status_page {
namespace {

using namespace std::chrono_literals;
using test::SampleHost;

class RecentFailuresTest : public testing::Test {
 protected:
  /// A snapshot, so long after the first, in which curl and gunicorn have failed so often.
  void see(std::chrono::seconds at, std::uint64_t curl, std::uint64_t gunicorn) {
    SampleHost host;
    host.add_failures(curl + gunicorn);
    host.add_failed("192.0.2.20", "curl", curl);
    host.add_failed("192.0.2.20", "gunicorn", gunicorn);
    families_ = host.connects.take();
    look(at);
  }
  void look(std::chrono::seconds at) {
    const std::vector<CollectorFamilies> collectors{{"connect_failures", &families_}};
    failures_.see(SteadyTime{} + at, PublishedFigures(collectors));
  }
  std::optional<SteadyTime> last(std::size_t series) const {
    // The last family that SampleHost emits.
    return failures_.last(families_.back().metric.at(series));
  }

  RecentFailures failures_;
  MetricFamilies families_;
};

constexpr std::size_t kCurl = 0;
constexpr std::size_t kGunicorn = 1;

TEST_F(RecentFailuresTest, TellsWhenEachSeriesRoseLast) {
  see(0s, 0, 0);
  EXPECT_EQ(failures_.rise(), 0U);
  EXPECT_EQ(last(kCurl), std::nullopt) << "it has never failed";
  see(15s, 1, 0);
  see(30s, 1, 2);
  see(45s, 1, 2);
  EXPECT_EQ(failures_.rise(), 3U);
  EXPECT_EQ(last(kCurl), SteadyTime{} + 15s);
  EXPECT_EQ(last(kGunicorn), SteadyTime{} + 30s);
}

TEST_F(RecentFailuresTest, ForgetsARiseAfterFiveMinutes) {
  see(0s, 0, 0);
  see(15s, 5, 0);
  for (auto at = 30s; at <= 400s; at += 15s) see(at, 5, 0);
  EXPECT_EQ(failures_.rise(), 0U);
  EXPECT_EQ(last(kCurl), SteadyTime{} + 15s);
}

TEST_F(RecentFailuresTest, KnowsNothingWhereNothingIsCounted) {
  see(0s, 0, 0);
  families_.clear();
  look(15s);
  EXPECT_EQ(failures_.rise(), std::nullopt);
  see(30s, 4, 0);
  EXPECT_EQ(failures_.rise(), 4U);
}

}  // namespace
}  // namespace timewait::status_page
