#include <algorithm>
#include <filesystem>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/golden/recorded_host.h"
#include "tests/unit/golden/run_program.h"

namespace timewait::test {
namespace {

struct GoldenFile {
  RecordedHost host;
  std::filesystem::path path;
};

std::ostream& operator<<(std::ostream& out, const GoldenFile& file) {
  return out << file.host << '/' << file.path.stem().string();
}

/// Those with a line in them: a collector that fails publishes nothing.
std::vector<GoldenFile> golden_files() {
  std::vector<GoldenFile> files;
  for (const RecordedHost& host : recorded_hosts()) {
    const std::filesystem::path directory = host.golden("once").parent_path();
    if (!std::filesystem::is_directory(directory)) continue;
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
      if (file.file_size() > 0) files.push_back({host, file.path()});
    }
  }
  std::ranges::sort(files, {}, &GoldenFile::path);
  return files;
}

class Promtool : public testing::TestWithParam<GoldenFile> {
 protected:
  void SetUp() override { require_tool("promtool"); }
};

TEST_P(Promtool, HasNothingToSayOfTheGolden) {
  const GoldenFile& file = GetParam();
  const ProgramResult check = run_program({"promtool", "check", "metrics"}, file.path);
  EXPECT_EQ(check.status, 0) << "promtool check metrics < " << file.path << "\n" << check.output;
}

INSTANTIATE_TEST_SUITE_P(Host, Promtool, testing::ValuesIn(golden_files()));

}  // namespace
}  // namespace timewait::test
