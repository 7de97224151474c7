#include <fstream>
#include <iterator>

#include "collectors/parse/connect_failure.h"
#include "tests/support/fake_perf_events.h"
#include "tests/support/run_collector.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::FakePerfEvents;
using test::forbidden;
using test::MemoryKernel;
using test::poll;
using test::Polled;
using ::testing::HasSubstr;

constexpr const char* kFormat = "events/sock/inet_sock_set_state/format";

std::string read_format() {
  std::ifstream stream(TIMEWAIT_SOURCE_DIR "/tests/fixtures/linux-6.18/tracefs/" +
                       std::string(kFormat));
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The record of today's kernel, from 192.0.2.1 to 198.51.100.HOST:443.
std::string failure(char host = 7) {
  std::string raw(76, '\0');
  raw[26] = static_cast<char>(443 & 0xff);
  raw[27] = 1;
  raw.replace(40, 16, std::string(10, '\0') + "\xff\xff\xc0" + std::string("\0\2\1", 3));
  raw.replace(56, 16, std::string(10, '\0') + "\xff\xff\xc6\x33\x64" + host);
  return raw;
}

std::string series(const std::string& process, int host = 7, const std::string& netns = "self") {
  return "timewait_connect_failures_by_destination_total{netns=\"" + netns +
         "\",local_address=\"192.0.2.1\",remote_address=\"198.51.100." + std::to_string(host) +
         "\",remote_port=\"443\",process=\"" + process + "\"}";
}

constexpr const char* kOther =
    "timewait_connect_failures_by_destination_total{netns=\"\",local_address=\"\","
    "remote_address=\"other\",remote_port=\"\",process=\"\"}";
constexpr const char* kTotal = "timewait_connect_failures_total";
constexpr const char* kAvailable = "timewait_connect_failures_available";
constexpr const char* kLost = "timewait_connect_failures_lost_total";

class ConnectFailuresTest : public ::testing::Test {
 protected:
  ConnectFailuresTest() {
    events_.connect(kernel_, "0-1");
    kernel_.tracefs.emplace().emplace(kFormat, read_format());
    kernel_.proc.emplace("self/status", "CapEff:\t0\nNSpid:\t900\n");
    kernel_.proc.emplace("sys/kernel/osrelease", "6.18.44\n");
    kernel_.proc.emplace("1/comm", "systemd\n");
    kernel_.proc_inodes.emplace("thread-self/net/dev", 1);
    add_process(7, "nginx");
  }

  void add_process(std::uint32_t id, const std::string& name) {
    const std::string pid = std::to_string(id);
    kernel_.proc.emplace(pid + "/comm", name + "\n");
    kernel_.proc_inodes.emplace(pid + "/task/" + pid + "/net/dev", 1);
  }

  void fail(std::uint32_t cpu, std::uint32_t process, char host = 7) {
    events_.fire(cpu, process, process, failure(host));
  }

  /// The next poll, 15 seconds after the one before.
  Polled poll_next(Collector& collector, std::chrono::seconds after = 15s) {
    events_.pass(after);
    now_ += after;
    return poll(collector, now_);
  }

  std::unique_ptr<Collector> make(const std::string& options = "") {
    return test::make_collector("connect_failures", kernel_, options);
  }

  MemoryKernel kernel_;
  FakePerfEvents events_;
  SteadyTime now_{1h};
};

TEST_F(ConnectFailuresTest, CountsFromZeroOn) {
  const auto collector = make();
  const Polled polled = poll(*collector);
  ASSERT_TRUE(polled.result);
  EXPECT_TRUE(polled.errors.empty());
  EXPECT_EQ(polled.samples.find(kAvailable), 1);
  EXPECT_EQ(polled.samples.find(kTotal), 0);
  EXPECT_EQ(polled.samples.find(kLost), 0);
  EXPECT_EQ(polled.samples.find(kOther), 0);
  EXPECT_EQ(events_.id, 2287U);
  EXPECT_EQ(events_.filter, "oldstate==2 && newstate==7 && sport==0 && protocol==6");
  EXPECT_EQ(collector->event_descriptors().size(), 2U);
}

TEST_F(ConnectFailuresTest, TellsWhoFailsToConnectToWhat) {
  const auto collector = make();
  poll(*collector, now_);
  fail(0, 7);
  fail(1, 7);
  fail(1, 7, 8);
  fail(1, 9);
  const auto samples = poll_next(*collector).samples;
  EXPECT_EQ(samples.find(kTotal), 4);
  EXPECT_EQ(samples.find(series("nginx")), 2);
  EXPECT_EQ(samples.find(series("nginx", 8)), 1);
  EXPECT_EQ(samples.find(series("", 7, "")), 1) << "a process that has ended";
}

TEST_F(ConnectFailuresTest, TakesEventsBetweenPollsWhileTheProcessIsThere) {
  const auto collector = make();
  poll(*collector, now_);
  fail(0, 7);
  collector->take_events();
  kernel_.proc.erase("7/comm");
  fail(0, 7);
  EXPECT_EQ(poll_next(*collector).samples.find(series("nginx")), 2)
      << "who failed before is remembered";
  fail(0, 7);
  EXPECT_EQ(poll_next(*collector).samples.find(series("")), 1)
      << "but the number may be another's after a poll";
}

TEST_F(ConnectFailuresTest, TheSumOfAllIsTheTotal) {
  const auto collector = make("max_destinations: 2");
  poll(*collector, now_);
  for (char host = 1; host < 6; ++host) {
    for (char i = 0; i < host; ++i) fail(0, 7, host);
  }
  events_.lose(1, 10);
  fail(1, 7, 5);
  poll_next(*collector);
  const auto samples = poll_next(*collector).samples;
  EXPECT_EQ(samples.count("timewait_connect_failures_by_destination_total"), 3U);
  EXPECT_EQ(samples.find(series("nginx", 4)), 4);
  EXPECT_EQ(samples.find(series("nginx", 5)), 6);
  EXPECT_EQ(samples.find(kOther), 1 + 2 + 3);
  EXPECT_EQ(samples.find(kLost), 10);
  EXPECT_EQ(samples.find(kTotal), 1 + 2 + 3 + 4 + 6 + 10);
}

TEST_F(ConnectFailuresTest, IsQuietWithoutPermission) {
  events_.refusal = Error{ErrorReason::kPermission, "x", "Permission denied"};
  const auto collector = make();
  const Polled polled = poll(*collector);
  ASSERT_TRUE(polled.result);
  ASSERT_EQ(polled.errors.size(), 1U) << "one message, however many CPUs there are";
  EXPECT_EQ(polled.errors[0].reason, ErrorReason::kPermission);
  EXPECT_EQ(polled.samples.find(kAvailable), 0);
  EXPECT_EQ(polled.samples.size(), 1U) << "0 failures would be a lie";
  EXPECT_TRUE(collector->event_descriptors().empty());
  collector->take_events();
}

TEST_F(ConnectFailuresTest, SaysWhichPartIsMissing) {
  struct Case {
    std::optional<Result<std::string>> format;  ///< without: tracefs is not mounted
    const char* release;
    ErrorReason reason;
    const char* says;
  };
  for (const auto& [format, release, reason, says] :
       {Case{std::nullopt, "6.1.0", ErrorReason::kUnavailable, "tracefs: No such file"},
        Case{std::nullopt, "4.9.0", ErrorReason::kUnavailable,
             "(the tracepoint sock:inet_sock_set_state came with Linux 4.16)"},
        Case{test::unavailable("/t/format"), "6.1.0", ErrorReason::kUnavailable, "/t/format: No"},
        Case{test::unavailable("/t/format"), "4.15.9", ErrorReason::kUnavailable,
             "came with Linux 4.16)"},
        Case{forbidden("/t/format"), "6.1.0", ErrorReason::kPermission,
             "/t/format: Permission denied (tracefs is for root and CAP_DAC_READ_SEARCH; the event "
             "needs CAP_PERFMON too)"},
        Case{"ID: 5\n", "6.1.0", ErrorReason::kMalformed,
             "tracefs events/sock/inet_sock_set_state/format: expected a field oldstate"},
        Case{"", "6.1.0", ErrorReason::kMalformed, "expected a line with the tracepoint's ID"}}) {
    kernel_.tracefs.reset();
    if (format) kernel_.tracefs.emplace().emplace(kFormat, *format);
    kernel_.proc.insert_or_assign("sys/kernel/osrelease", std::string(release) + "\n");
    const Polled polled = poll(*make());
    ASSERT_EQ(polled.errors.size(), 1U) << says;
    EXPECT_EQ(polled.errors[0].reason, reason) << says;
    EXPECT_THAT(polled.errors[0].text(), HasSubstr(says));
    EXPECT_EQ(polled.samples.find(kAvailable), 0);
    EXPECT_EQ(polled.samples.size(), 1U);
  }
}

TEST_F(ConnectFailuresTest, LooksForTheTracepointEveryMinute) {
  const auto format = kernel_.tracefs;
  kernel_.tracefs.reset();
  const auto collector = make();
  EXPECT_EQ(poll(*collector, now_).errors.size(), 1U);
  kernel_.tracefs = format;
  EXPECT_EQ(poll_next(*collector, 59s).errors.size(), 1U);
  EXPECT_TRUE(poll_next(*collector, 1s).errors.empty());
  EXPECT_EQ(poll_next(*collector).samples.find(kAvailable), 1);
}

TEST_F(ConnectFailuresTest, ABrokenRecordSpoilsNothingElse) {
  const auto collector = make();
  poll(*collector, now_);
  events_.fire(0, 7, 7, "short");
  fail(0, 7);
  collector->take_events();
  const Polled polled = poll_next(*collector);
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.errors[0].reason, ErrorReason::kMalformed);
  EXPECT_THAT(polled.errors[0].detail, HasSubstr("5 bytes, shorter than its format says"));
  EXPECT_EQ(polled.samples.find(series("nginx")), 1);
  const Polled next = poll_next(*collector);
  EXPECT_TRUE(next.errors.empty());
  EXPECT_EQ(next.samples.find(kTotal), 2);
  EXPECT_EQ(next.samples.find(kLost), 1);
}

TEST_F(ConnectFailuresTest, KeepsItsCountsWhereACpuCanNoLongerBeCounted) {
  const auto collector = make();
  poll(*collector, now_);
  fail(1, 7);
  FakePerfEvents::set_online(kernel_, "0-2");
  events_.refusal = Error{ErrorReason::kPermission, "x", "Permission denied"};
  const Polled polled = poll_next(*collector);
  EXPECT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.samples.find(kAvailable), 0);
  EXPECT_EQ(polled.samples.find(kTotal), 1);
}

TEST_F(ConnectFailuresTest, TellsOnceWhyFailuresHaveNoName) {
  kernel_.proc.erase("1/comm");
  const auto collector = make();
  const Polled polled = poll(*collector, now_);
  EXPECT_TRUE(polled.errors.empty()) << "the counts are right";
  ASSERT_EQ(polled.notices.size(), 1U);
  EXPECT_THAT(polled.notices[0].text(), HasSubstr("/proc/: hidepid: failures of other users"));
}

TEST_F(ConnectFailuresTest, BoundsItsOptions) {
  for (const char* options : {"max_destinations: 0", "max_destinations: 10001",
                              "max_destinations: many", "destinations: 3"}) {
    config::Problems problems;
    test::make_collector("connect_failures", kernel_, options, &problems);
    EXPECT_EQ(problems.size(), 1U) << options;
  }
}

TEST_F(ConnectFailuresTest, OtherOptionsDoNotLoseWhatWasCounted) {
  auto before = make();
  poll(*before, now_);
  fail(0, 7);
  fail(1, 7, 8);
  poll_next(*before);
  fail(0, 7);
  const auto after = make("max_destinations: 1");
  after->continue_from(*before);
  before.reset();
  const auto polled = poll_next(*after);
  EXPECT_TRUE(polled.errors.empty());
  EXPECT_EQ(polled.samples.find(kTotal), 3);
  EXPECT_EQ(polled.samples.find(kLost), 0);
  EXPECT_EQ(polled.samples.find(series("nginx")), 2);
  EXPECT_EQ(polled.samples.find(kOther), 1);
  fail(0, 7);
  EXPECT_EQ(poll_next(*after).samples.find(kTotal), 4) << "the events stay open";
}

TEST_F(ConnectFailuresTest, OtherOptionsChangeNothingWhereTheTracepointIsMissing) {
  kernel_.tracefs.reset();
  const auto before = make();
  poll(*before, now_);
  const auto after = make("max_destinations: 1");
  after->continue_from(*before);
  EXPECT_FALSE(poll_next(*after).errors.empty());
}

}  // namespace
}  // namespace timewait
