#include "daemon/kernel/fixture_kernel.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "collectors/parse/inet_diag.h"
#include "daemon/kernel/files.h"
#include "tests/support/socket_message.h"

namespace timewait {
namespace {

using test::netlink_status;
using test::socket_message;

std::vector<int> states_of(const std::string& stream) {
  std::vector<int> states;
  const auto progress = parse::parse_socket_dump(
      {std::as_bytes(std::span(stream)), std::nullopt},
      [&](const Socket& socket) { states.push_back(static_cast<int>(socket.state)); });
  EXPECT_TRUE(progress && *progress == DumpProgress::kDone);
  return states;
}

TEST(FilterRecordedDump, AnswersByStateAndFamilyAsTheKernelDoes) {
  const std::string recording = socket_message({.state = 1}) +
                                socket_message({.local = "::1", .state = 1}) +
                                netlink_status(NLMSG_DONE, 0) + socket_message({.state = 7}) +
                                socket_message({.state = 10}) + netlink_status(NLMSG_DONE, 0);
  EXPECT_EQ(
      states_of(filter_recorded_dump(recording, {SocketRequest::kBothFamilies, 0x3ffe})).size(), 4U)
      << "reading goes on behind the first family's NLMSG_DONE";
  EXPECT_EQ(states_of(filter_recorded_dump(recording, {SocketRequest::kIpv6, 0x3ffe})).size(), 1U);
  EXPECT_EQ(states_of(filter_recorded_dump(recording, {SocketRequest::kBothFamilies, 1U << 13U})),
            std::vector<int>{7})
      << "a bound idle socket is asked for by bit 13 and reported as state 7";
  EXPECT_TRUE(
      states_of(filter_recorded_dump(recording, {SocketRequest::kBothFamilies, 1U << 7U})).empty());
}

TEST(FilterRecordedDump, KeepsWhatIsBroken) {
  const std::string cut = socket_message({.state = 1}).substr(0, 50);
  const std::string filtered = filter_recorded_dump(cut, {SocketRequest::kBothFamilies, 0x3ffe});
  EXPECT_FALSE(parse::parse_socket_dump({std::as_bytes(std::span(filtered)), std::nullopt},
                                        [](const Socket&) {}));
}

/// Hands over chunks until one is refused, and counts those that it has handed over.
struct Chunks {
  std::vector<std::string> all;
  std::size_t taken = 0;

  TextStream stream() {
    return [this](const Kernel::OnChunk& on_chunk) -> Result<void> {
      for (const std::string& chunk : all) {
        if (auto result = on_chunk(chunk); !result) return result;
        ++taken;
      }
      return {};
    };
  }
};

TEST(GatherText, JoinsChunksUpToTheBound) {
  Chunks none;
  EXPECT_EQ(gather_text("f", 1024, none.stream()), "");
  Chunks whole{{"ab", "", std::string(1021, 'x'), "c"}};
  EXPECT_EQ(gather_text("f", 1024, whole.stream()), "ab" + std::string(1021, 'x') + "c");
}

TEST(GatherText, RefusesWhatIsBeyondTheBoundAndReadsNoFurther) {
  for (const auto& [most, size] :
       {std::pair{std::size_t{2} << 10U, "2 KiB"}, std::pair{std::size_t{3} << 20U, "3 MiB"}}) {
    Chunks chunks{{std::string(most, 'x'), "y", "z"}};
    const auto read = gather_text("/proc/f", most, chunks.stream());
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().reason, ErrorReason::kMalformed);
    EXPECT_EQ(read.error().text(), "/proc/f: larger than " + std::string(size) + ", refused");
    EXPECT_EQ(chunks.taken, 1U) << "only the first chunk is within " << size;
  }
}

TEST(GatherText, PassesAnErrorOn) {
  const auto read = gather_text("f", 1024, [](const Kernel::OnChunk& on_chunk) -> Result<void> {
    EXPECT_TRUE(on_chunk("half"));
    return tl::make_unexpected(Error{ErrorReason::kIo, "g", "broken"});
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text(), "g: broken");
}

class KernelFilesTest : public ::testing::Test {
 protected:
  KernelFilesTest() { std::filesystem::create_directories(directory_ / "sub"); }
  ~KernelFilesTest() override { std::filesystem::remove_all(directory_); }

  const std::filesystem::path directory_ =
      std::filesystem::path(::testing::TempDir()) / ("files_test_" + std::to_string(::getpid()));
  const KernelFiles files_{directory_, directory_};
};

TEST_F(KernelFilesTest, NamesAMissingFile) {
  const auto read = files_.read_sys("nothing");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, ErrorReason::kUnavailable);
  EXPECT_EQ(read.error().text(), (directory_ / "nothing").string() + ": No such file or directory");
}

TEST_F(KernelFilesTest, ReadsALargeFileWhole) {
  const std::string text(100'000, 'x');
  std::ofstream(directory_ / "large") << text;
  std::string read;
  ASSERT_TRUE(files_.stream_proc("large", [&](std::string_view chunk) -> Result<void> {
    read.append(chunk);
    return {};
  }));
  EXPECT_EQ(read, text);
  EXPECT_FALSE(files_.read_sys("large")) << "no file of /sys is so large: refused, not cut";
}

TEST_F(KernelFilesTest, TellsADirectoryFromAFile) {
  const auto read = files_.read_sys("sub");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, ErrorReason::kIo);
}

TEST_F(KernelFilesTest, TellsALinkFromWhatIsNone) {
  std::filesystem::create_symlink(":A-0000128", directory_ / "link");
  EXPECT_EQ(files_.read_sys_link("link"), ":A-0000128");
  EXPECT_EQ(files_.read_sys_link("sub"), "");
  EXPECT_EQ(files_.read_sys_link("none").error().reason, ErrorReason::kUnavailable);
}

TEST(RecordedEvent, CountsOnAsTimePasses) {
  // A daemon that replays a recording would take it for an event whose CPU was offline otherwise.
  FixtureKernel kernel(std::filesystem::path(TIMEWAIT_SOURCE_DIR) / "tests/fixtures/linux-6.18");
  const auto event = kernel.open_tracepoint({}, 0);
  ASSERT_TRUE(event);
  const auto first = (*event)->read_count();
  const auto between = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto passed = std::chrono::steady_clock::now() - between;
  const auto second = (*event)->read_count();
  ASSERT_TRUE(first && second);
  EXPECT_GE(second->enabled - first->enabled, passed);
  EXPECT_EQ(second->firings, first->firings);
}

}  // namespace
}  // namespace timewait
