#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/golden/recorded_host.h"
#include "tests/unit/golden/run_program.h"

namespace timewait::test {
namespace {

/// A file that a tool has composed from a readable list beside it.
struct Composed {
  std::filesystem::path file;
  std::vector<std::string> command;
};

std::ostream& operator<<(std::ostream& out, const Composed& composed) {
  return out << composed.file.lexically_relative(TIMEWAIT_SOURCE_DIR "/tests/fixtures");
}

std::string tool(const std::string& name) { return TIMEWAIT_SOURCE_DIR "/tests/tools/" + name; }

std::vector<Composed> composed_files() {
  std::vector<Composed> all;
  for (const RecordedHost& host : recorded_hosts()) {
    const std::filesystem::path netlink = host.directory() / "netlink/tcp.nlmsg";
    const std::filesystem::path spec = host.directory() / "netlink/tcp.spec";
    if (exists(spec)) all.push_back({netlink, {tool("compose-sockets"), spec.string()}});
    if (!exists(host.directory() / "perf")) continue;
    const auto format = host.directory() / "tracefs/events/sock/inet_sock_set_state/format";
    for (const auto& entry : std::filesystem::directory_iterator(host.directory() / "perf")) {
      std::filesystem::path file = entry.path();
      if (file.extension() != ".spec") continue;
      const std::string of = file.string();
      all.push_back({file.replace_extension(), {tool("compose-failures"), format.string(), of}});
    }
  }
  std::ranges::sort(all, {}, &Composed::file);
  return all;
}

class ComposedFiles : public testing::TestWithParam<Composed> {
 protected:
  void SetUp() override { require_tool("python3"); }
};

TEST_P(ComposedFiles, AreWhatTheirSpecComposes) {
  std::vector<std::string> command{"python3"};
  command.insert(command.end(), GetParam().command.begin(), GetParam().command.end());
  const ProgramResult composed = run_program(command);
  ASSERT_EQ(composed.status, 0) << command[1] << " fails on the spec of " << GetParam().file;
  EXPECT_TRUE(composed.output == read_file(GetParam().file))
      << GetParam().file << " is not what its spec says; compose it anew with " << command[1];
}

INSTANTIATE_TEST_SUITE_P(Fixture, ComposedFiles, testing::ValuesIn(composed_files()));

}  // namespace
}  // namespace timewait::test
