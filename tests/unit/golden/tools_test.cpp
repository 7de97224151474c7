#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "collectors/registry.h"
#include "daemon/kernel/fixture_kernel.h"
#include "tests/unit/golden/recorded_host.h"
#include "tests/unit/golden/run_program.h"

namespace timewait::test {
namespace {

constexpr const char* kRecordHost = TIMEWAIT_SOURCE_DIR "/tests/tools/record-host";

/// A recording as a host that refuses sock_diag would have it, which notes what is asked for: so
/// the collectors ask for everything that they may ever read.
class NotingKernel final : public Kernel {
 public:
  explicit NotingKernel(const std::filesystem::path& recording) : recording_(recording) {}

  const std::set<std::string>& proc() const { return proc_; }
  const std::set<std::string>& sys() const { return sys_; }

  std::string_view netns() const override { return recording_.netns(); }
  std::uint64_t page_size() const override { return recording_.page_size(); }
  Result<void> stream_proc(std::string_view path, const OnChunk& on_chunk) override {
    proc_.emplace(path);
    return recording_.stream_proc(path, on_chunk);
  }
  Result<std::string> read_proc_link(std::string_view path) override {
    return recording_.read_proc_link(path);
  }
  Result<std::uint64_t> read_proc_inode(std::string_view path) override {
    return recording_.read_proc_inode(path);
  }
  Result<std::string> read_tracefs(std::string_view path) override {
    return recording_.read_tracefs(path);
  }
  Result<std::string> read_sys(std::string_view path) override {
    sys_.emplace(path);
    return recording_.read_sys(path);
  }
  Result<std::string> read_sys_link(std::string_view path) override {
    sys_.emplace(path);
    return recording_.read_sys_link(path);
  }
  Result<void> dump_sockets(const SocketDump& /*dump*/, const OnBuffer& /*on_buffer*/) override {
    return tl::make_unexpected(Error{ErrorReason::kUnavailable, "netlink", "refused"});
  }
  Result<std::unique_ptr<PerfEvent>> open_tracepoint(const Tracepoint& tracepoint,
                                                     std::uint32_t cpu) override {
    return recording_.open_tracepoint(tracepoint, cpu);
  }

 private:
  FixtureKernel recording_;
  std::set<std::string> proc_;
  std::set<std::string> sys_;
};

/// `self/status`, `1/comm`: not of the host.
bool is_of_a_process(const std::string& file) {
  const std::string first = file.substr(0, file.find('/'));
  return first == "self" || first == "thread-self" ||
         first.find_first_not_of("0123456789") == std::string::npos;
}

class RecordHost : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "record-host-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr) << name << " cannot be made";
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  const std::filesystem::path& directory() const { return directory_; }

  void expect_copied(const std::set<std::string>& files, const std::string& root) const {
    for (const std::string& file : files) {
      const std::filesystem::path original = std::filesystem::path("/") / root / file;
      if (root == "proc" && is_of_a_process(file)) continue;
      // What this kernel lacks, or what this user may not read, is not in the recording.
      if (::access(original.c_str(), R_OK) != 0) continue;
      EXPECT_TRUE(std::filesystem::exists(directory_ / root / file))
          << "tests/tools/record-host leaves out " << original;
      EXPECT_EQ(std::filesystem::is_symlink(directory_ / root / file),
                root == "sys" && std::filesystem::is_symlink(original))
          << "tests/tools/record-host follows the link " << original;
    }
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(RecordHost, CopiesEveryFileThatTheCollectorsRead) {
  ASSERT_EQ(run_program({kRecordHost, directory().string()}).status, 0);
  NotingKernel kernel(directory());
  for (const CollectorEntry* const collector : all_collectors()) collect(*collector, kernel);
  expect_copied(kernel.proc(), "proc");
  expect_copied(kernel.sys(), "sys");
}

TEST_F(RecordHost, RecordsSocketsThatReplay) {
  ASSERT_EQ(run_program({kRecordHost, directory().string()}).status, 0);
  FixtureKernel kernel(directory());
  EXPECT_FALSE(collect(*find_collector("sock_diag"), kernel).empty())
      << "the sock_diag collector fails on what tests/tools/record-host recorded";
}

TEST_F(RecordHost, RefusesADirectoryThatIsNotEmpty) {
  const std::filesystem::path file = directory() / "mine";
  std::ofstream(file) << "text";
  EXPECT_EQ(run_program({kRecordHost, directory().string()}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(directory() / "proc"));
  EXPECT_EQ(read_file(file), "text");
}

TEST_F(RecordHost, WantsExactlyOneDirectory) {
  EXPECT_EQ(run_program({kRecordHost}).status, 2);
  EXPECT_EQ(run_program({kRecordHost, directory().string(), "more"}).status, 2);
}

class ComposeSockets : public RecordHost {
 protected:
  void SetUp() override {
    RecordHost::SetUp();
    require_tool("python3");
  }

  ProgramResult compose(const std::string& spec) const {
    const std::filesystem::path file = directory() / "tcp.spec";
    std::ofstream(file) << spec;
    return run_program(
        {"python3", TIMEWAIT_SOURCE_DIR "/tests/tools/compose-sockets", file.string()});
  }
};

TEST_F(ComposeSockets, RefusesALineThatItDoesNotUnderstand) {
  for (const char* const line :
       {"waiting 127.0.0.1:1 127.0.0.1:2", "established 127.0.0.1:1", "listen 127.0.0.1 0.0.0.0:0",
        "listen 127.0.0.1:70000 0.0.0.0:0", "listen 127.0.0.256:1 0.0.0.0:0",
        "established [::1]:1 127.0.0.1:2", "time_wait 127.0.0.1:1 127.0.0.1:2",
        "established 127.0.0.1:1 127.0.0.1:2 expires=5", "listen 0.0.0.0:1 0.0.0.0:0 v6only=yes",
        "listen [::]:1 [::]:0 v6only=maybe", "cut-after some"}) {
    const ProgramResult composed = compose(std::string(line) + "\n");
    EXPECT_EQ(composed.status, 1) << line;
    EXPECT_EQ(composed.output, "") << line;
  }
}

TEST_F(ComposeSockets, EndsTheAnswerOfEachFamily) {
  constexpr std::size_t kDone = 20;
  EXPECT_EQ(compose("# nothing\n\n").output.size(), 2 * kDone);
}

class ComposeFailures : public ComposeSockets {
 protected:
  ProgramResult compose(const std::string& spec) const {
    const std::filesystem::path file = directory() / "cpu0.spec";
    std::ofstream(file) << spec;
    return run_program({"python3", TIMEWAIT_SOURCE_DIR "/tests/tools/compose-failures",
                        TIMEWAIT_SOURCE_DIR
                        "/tests/fixtures/linux-6.18/tracefs/events/sock/inet_sock_set_state/format",
                        file.string()});
  }
};

TEST_F(ComposeFailures, RefusesALineThatItDoesNotUnderstand) {
  for (const char* const line :
       {"success 1 1 127.0.0.1 127.0.0.1:1", "failure 1 127.0.0.1 127.0.0.1:1",
        "failure x 1 127.0.0.1 127.0.0.1:1", "failure 1 1 127.0.0.256 127.0.0.1:1",
        "failure 1 1 127.0.0.1 127.0.0.1:70000", "failure 1 1 127.0.0.1 127.0.0.1", "lost",
        "lost some", "cut-after some"}) {
    const ProgramResult composed = compose(std::string(line) + "\n");
    EXPECT_EQ(composed.status, 1) << line;
    EXPECT_EQ(composed.output, "") << line;
  }
}

TEST_F(ComposeFailures, ComposesNothingOfNothing) {
  EXPECT_EQ(compose("# nothing\n\n").output, "");
}

}  // namespace
}  // namespace timewait::test
