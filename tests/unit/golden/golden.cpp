#include "tests/unit/golden/golden.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/golden/recorded_host.h"

namespace timewait::test {

namespace {

constexpr std::size_t kShownLines = 6;

bool is_updating() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const char* const value = std::getenv("TIMEWAIT_UPDATE_GOLDENS");
  return value != nullptr && std::string_view(value) == "1";
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void append_lines(std::string& out, char mark, const std::vector<std::string>& lines,
                  std::size_t first) {
  const std::size_t last = std::min(lines.size(), first + kShownLines);
  for (std::size_t i = first; i < last; ++i) out.append({mark, ' '}).append(lines[i]).append("\n");
}

std::string describe_difference(const std::string& golden, const std::string& actual) {
  const std::vector<std::string> left = split_lines(golden);
  const std::vector<std::string> right = split_lines(actual);
  const auto [differs, other] = std::ranges::mismatch(left, right);
  const auto first = static_cast<std::size_t>(differs - left.begin());
  std::string out = "from line " + std::to_string(first + 1) + " (- golden, + now):\n";
  append_lines(out, '-', left, first);
  append_lines(out, '+', right, first);
  return out;
}

void write_golden(const std::filesystem::path& golden, const std::string& text) {
  std::filesystem::create_directories(golden.parent_path());
  std::ofstream file(golden, std::ios::binary);
  file << text;
  file.close();
  EXPECT_TRUE(file) << golden << " cannot be written";
}

}  // namespace

void expect_golden(const std::filesystem::path& golden, const std::string& actual) {
  if (is_updating()) return write_golden(golden, actual);
  ASSERT_TRUE(std::filesystem::exists(golden))
      << "missing " << golden << "; TIMEWAIT_UPDATE_GOLDENS=1 writes it";
  const std::string expected = read_file(golden);
  EXPECT_TRUE(actual == expected) << golden << " differs " << describe_difference(expected, actual);
}

}  // namespace timewait::test
