#include "tests/unit/golden/stable_exposition.h"

#include <algorithm>
#include <array>

#include "collectors/parse/text.h"

namespace timewait::test {

namespace {

constexpr std::string_view kBuildInfo = "timewait_exporter_build_info";
constexpr std::array<std::string_view, 3> kVaryingSuffixes{
    "_duration_seconds", "_cpu_seconds_total", "_timestamp_seconds"};

bool varies(std::string_view name) {
  return name.starts_with("process_") ||
         std::ranges::any_of(kVaryingSuffixes,
                             [&](std::string_view suffix) { return name.ends_with(suffix); });
}

std::string stable_line(std::string_view line) {
  if (line.starts_with('#')) return std::string(line);
  const std::string_view name = line.substr(0, line.find_first_of("{ "));
  if (name == kBuildInfo) {
    return std::string(name) + R"({version="0",revision="0",compiler="0"} 1)";
  }
  if (!varies(name)) return std::string(line);
  return std::string(line.substr(0, line.rfind(' '))) + " 0";
}

}  // namespace

std::string stable_exposition(std::string_view exposition) {
  std::string stable;
  while (!exposition.empty()) {
    stable += stable_line(parse::next_line(exposition)) + '\n';
  }
  return stable;
}

}  // namespace timewait::test
