#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/unit/golden/golden.h"
#include "tests/unit/golden/recorded_host.h"
#include "tests/unit/golden/run_program.h"
#include "tests/unit/golden/stable_exposition.h"

namespace timewait::test {
namespace {

bool tells_of_a_failed_collector(const std::string& exposition) {
  constexpr std::string_view kSeries = "\ntimewait_exporter_collector_success{";
  for (auto at = exposition.find(kSeries); at != std::string::npos;
       at = exposition.find(kSeries, at + 1)) {
    const std::size_t end = exposition.find('\n', at + 1);
    if (exposition.substr(at, end - at).ends_with(" 0")) return true;
  }
  return false;
}

class ProgramGolden : public testing::TestWithParam<RecordedHost> {};

TEST_P(ProgramGolden, IsWhatOncePrintsWithTheStatusOfItsCollectors) {
  const RecordedHost& host = GetParam();
  const ProgramResult once = run_program({TIMEWAIT_PROGRAM, "--once", "--log.level", "error",
                                          "--path.recording", host.directory().string()});
  expect_golden(host.golden("once"), stable_exposition(once.output));
  EXPECT_EQ(once.status, tells_of_a_failed_collector(read_file(host.golden("once"))) ? 1 : 0)
      << "--once on " << host.directory() << " has the wrong exit status";
}

INSTANTIATE_TEST_SUITE_P(Host, ProgramGolden, testing::ValuesIn(recorded_hosts()));

TEST(StableExposition, ReplacesOnlyWhatVaries) {
  EXPECT_EQ(
      stable_exposition("# HELP process_open_fds Number of 3 files.\n"
                        "process_open_fds 3\n"
                        "timewait_exporter_build_info{version=\"1.2\",revision=\"f\"} 1\n"
                        "timewait_exporter_collector_duration_seconds{collector=\"a b\"} 0.25\n"
                        "timewait_exporter_collector_interval_seconds{collector=\"a\"} 15\n"
                        "timewait_exporter_snapshot_timestamp_seconds 1.7e+09\n"
                        "timewait_bind_buckets{netns=\"self\"} 7\n"),
      "# HELP process_open_fds Number of 3 files.\n"
      "process_open_fds 0\n"
      "timewait_exporter_build_info{version=\"0\",revision=\"0\",compiler=\"0\"} 1\n"
      "timewait_exporter_collector_duration_seconds{collector=\"a b\"} 0\n"
      "timewait_exporter_collector_interval_seconds{collector=\"a\"} 15\n"
      "timewait_exporter_snapshot_timestamp_seconds 0\n"
      "timewait_bind_buckets{netns=\"self\"} 7\n");
}

}  // namespace
}  // namespace timewait::test
