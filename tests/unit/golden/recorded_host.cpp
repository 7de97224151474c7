#include "tests/unit/golden/recorded_host.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ostream>

#include <gtest/gtest.h>

#include "collectors/findings.h"
#include "config/option_reader.h"
#include "daemon/kernel/fixture_kernel.h"
#include "tests/support/fake_clock.h"

namespace timewait::test {

namespace {

std::filesystem::path fixtures() {
  return std::filesystem::path(TIMEWAIT_SOURCE_DIR) / "tests" / "fixtures";
}

}  // namespace

std::filesystem::path RecordedHost::directory() const { return fixtures() / name; }

std::filesystem::path RecordedHost::golden(std::string_view what) const {
  return directory() / "golden" / (std::string(what) + ".prom");
}

std::ostream& operator<<(std::ostream& out, const RecordedHost& host) { return out << host.name; }

std::vector<RecordedHost> recorded_hosts() {
  std::vector<RecordedHost> hosts;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures())) {
    if (is_directory(entry.path() / "golden")) hosts.push_back({entry.path().filename().string()});
  }
  std::ranges::sort(hosts, {}, &RecordedHost::name);
  return hosts;
}

MetricFamilies collect(const CollectorEntry& entry, const RecordedHost& host) {
  FixtureKernel kernel(host.directory());
  return collect(entry, kernel);
}

MetricFamilies collect(const CollectorEntry& entry, Kernel& kernel) {
  const config::Value no_options;
  config::Problems problems;
  config::OptionReader options(no_options, entry.name, problems);
  const CollectorFactory make = entry.configure(options);
  EXPECT_TRUE(problems.empty()) << entry.name << " rejects its own defaults";

  Findings findings;
  CollectorOutput output;
  const Result<void> result = make({kernel, findings})->collect(FakeClock().now(), output);
  return result ? output.metrics.take() : MetricFamilies{};
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace timewait::test
