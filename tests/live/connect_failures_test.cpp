#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/failing_connects.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/polling_exporter.h"
#include "tests/live/support/tracefs.h"
#include "tests/live/support/wait.h"

// The counter of connects that find no port, judged by connects that the tests let fail. It counts
// on the whole host, so nothing else may fail meanwhile: these tests run alone.

namespace timewait::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTotal = "timewait_connect_failures_total";
constexpr const char* kLost = "timewait_connect_failures_lost_total";
constexpr const char* kAvailable = "timewait_connect_failures_available";
constexpr const char* kByDestination = "timewait_connect_failures_by_destination_total";

/// tests/live/CMakeLists.txt calls the program so.
constexpr const char* kThisProcess = "live_failures";

struct Who {
  std::string process = kThisProcess;
  std::string netns = "self";
};

std::string printed(const std::string& address) {
  constexpr std::string_view kMapped = "::ffff:";
  return address.starts_with(kMapped) ? address.substr(kMapped.size()) : address;
}

std::string series(const Addressing& addressing, const Endpoint& remote, const Who& who = {}) {
  const std::string address = printed(addressing.connect_address);
  return std::string(kByDestination) + "{netns=\"" + who.netns + "\",local_address=\"" + address +
         "\",remote_address=\"" + address + "\",remote_port=\"" + std::to_string(remote.port()) +
         "\",process=\"" + who.process + "\"}";
}

double sum_of_destinations(const Samples& samples) {
  double sum = 0;
  for (const auto& [name, value] : samples.all()) {
    if (name.starts_with(kByDestination)) sum += value;
  }
  return sum;
}

std::chrono::nanoseconds cpu_time_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    throw std::runtime_error("no CPU time of the exporter");
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class ConnectFailures : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    directory_ = std::filesystem::path(::testing::TempDir()) /
                 ("timewait_failures." + std::to_string(::getpid()));
    std::filesystem::create_directories(tracefs());
    if (const auto mounted = enter_mount_namespace_with_tracefs(tracefs()); !mounted) {
      cannot_test("tracefs cannot be mounted: " + mounted.error());
      return;
    }
    write_sysctl("net/ipv4/ip_local_port_range", "40000 40003");
  }

  void TearDown() override {
    exporter_.reset();
    std::error_code ignored;
    for (const std::filesystem::path& mount : {tracefs(), name_of_namespace()}) {
      static_cast<void>(unmount(mount));
      std::filesystem::remove(mount, ignored);
    }
    std::filesystem::remove(directory_, ignored);
  }

  std::filesystem::path tracefs() const { return directory_ / "tracefs"; }
  /// A namespace that is given a name has this one.
  std::filesystem::path name_of_namespace() const { return directory_ / "blue"; }

  /// Counts from here on.
  void start_exporter(std::string_view interval = "50ms") {
    exporter_.emplace(
        "",
        std::vector<std::string>{"--collector.disable-defaults", "--collector.connect_failures"},
        interval);
    const Samples samples = exporter_->get();
    ASSERT_TRUE(has_value(samples, kAvailable, 1)) << exporter_->process().standard_error();
    ASSERT_TRUE(has_value(samples, kTotal, 0)) << "something else on this host fails to connect";
  }

  const PollingExporter& exporter() const { return *exporter_; }

  /// What there is when everything that has happened by now has been polled: what is lost is known
  /// one poll after it was counted.
  Samples settled() const {
    exporter_->wait_for_polls();
    exporter_->wait_for_polls();
    return exporter_->get();
  }

 private:
  std::filesystem::path directory_;
  std::optional<PollingExporter> exporter_;
};

class ConnectFailuresOf : public ConnectFailures,
                          public ::testing::WithParamInterface<Addressing> {};

TEST_P(ConnectFailuresOf, AreCountedOneByOne) {
  const ExhaustedDestinationOf exhausted(GetParam());
  start_exporter();
  fail_to_connect(exhausted.endpoint(), 1);
  const std::string expected = series(GetParam(), exhausted.endpoint());
  EXPECT_TRUE(has_value(settled(), expected, 1));
  fail_to_connect(exhausted.endpoint(), 99);
  fail_to_connect(exhausted.endpoint(), 100, {.blocks = false});
  const Samples samples = settled();
  EXPECT_TRUE(has_value(samples, expected, 200));
  EXPECT_TRUE(has_value(samples, kTotal, 200));
  EXPECT_TRUE(has_value(samples, kLost, 0));
}

INSTANTIATE_TEST_SUITE_P(Family, ConnectFailuresOf, ::testing::ValuesIn(every_addressing()),
                         [](const auto& family) { return family.param.name; });

TEST_F(ConnectFailures, AHundredThousandOfManyThreadsAreCountedExactly) {
  constexpr std::size_t kThreads = 8;
  constexpr std::size_t kEach = 12'500;
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  start_exporter();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] { fail_to_connect(exhausted.endpoint(), kEach); });
  }
  for (std::thread& thread : threads) thread.join();
  const Samples samples = settled();
  EXPECT_TRUE(has_value(samples, kTotal, kThreads * kEach));
  const double attributed = value_of(samples, series(ipv4_addressing(), exhausted.endpoint()));
  EXPECT_TRUE(has_value(samples, kLost, kThreads * kEach - attributed));
  EXPECT_EQ(attributed, sum_of_destinations(samples)) << "all of them are of this process";
  EXPECT_GT(attributed, 1000) << "the buffers alone hold more";
}

TEST_F(ConnectFailures, AreOfTheProcessThatFailed) {
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  const ExhaustedDestinationOf other(ipv6_addressing());
  start_exporter();
  const NamedProcess alpha("alpha", [&] { fail_to_connect(exhausted.endpoint(), 3); });
  const NamedProcess beta("beta worker", [&] {
    fail_to_connect(exhausted.endpoint(), 4);
    fail_to_connect(other.endpoint(), 5);
  });
  const NamedProcess hostile("a\xff\"\n\\b", [&] { fail_to_connect(other.endpoint(), 1); });
  const Samples samples = settled();
  EXPECT_TRUE(has_value(samples, series(ipv4_addressing(), exhausted.endpoint(), {"alpha"}), 3));
  EXPECT_TRUE(
      has_value(samples, series(ipv4_addressing(), exhausted.endpoint(), {"beta worker"}), 4));
  EXPECT_TRUE(has_value(samples, series(ipv6_addressing(), other.endpoint(), {"beta worker"}), 5));
  // Made printable once, and escaped in the exposition once more.
  EXPECT_TRUE(has_value(samples,
                        series(ipv6_addressing(), other.endpoint(), {R"(a\\xff\\\"\\n\\\\b)"}), 1));
  EXPECT_TRUE(has_value(samples, kTotal, 13));
}

TEST_F(ConnectFailures, AProcessThatEndsSoonHasItsName) {
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  const std::string failed = series(ipv4_addressing(), exhausted.endpoint(), {"brief"});
  start_exporter("2s");  // the first poll is over: the next one is far away
  {
    const NamedProcess brief("brief", [&] { fail_to_connect(exhausted.endpoint(), 1); });
    const auto ends = std::chrono::steady_clock::now() + 500ms;
    wait_until("the process's end", [&] { return std::chrono::steady_clock::now() > ends; });
  }
  EXPECT_TRUE(has_value(exporter().get(), kTotal, 0)) << "there was a poll meanwhile";
  wait_until("the poll after", [&] { return value_of(exporter().get(), kTotal) > 0; });
  EXPECT_TRUE(has_value(exporter().get(), failed, 1));
}

TEST_F(ConnectFailures, AreOfTheNamespaceThatTheyHappenIn) {
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  start_exporter();
  const NamedProcess here("here", [&] { fail_to_connect(exhausted.endpoint(), 2); });
  const auto fail_elsewhere = [&](std::size_t times, bool with_name) {
    if (!enter_new_network_namespace()) throw std::runtime_error("no namespace");
    if (with_name && !name_network_namespace(name_of_namespace())) {
      throw std::runtime_error("no name");
    }
    write_sysctl("net/ipv4/ip_local_port_range", "40000 40003");
    const ExhaustedDestinationOf there(ipv4_addressing());
    fail_to_connect(there.endpoint(), times - 1);  // one failed to find that it is exhausted
  };
  const NamedProcess blue("there", [&] { fail_elsewhere(5, true); });
  const NamedProcess nameless("nowhere", [&] { fail_elsewhere(7, false); });
  const Samples samples = settled();
  EXPECT_TRUE(has_value(samples, series(ipv4_addressing(), exhausted.endpoint(), {"here"}), 2));
  double in_blue = 0;
  double in_nameless = 0;
  for (const auto& [series, value] : samples.all()) {
    const bool is_blue = series.find("netns=\"blue\"") != std::string::npos;
    const bool is_number = series.find("netns=\"net:[") != std::string::npos;
    if (is_blue && series.ends_with("process=\"there\"}")) in_blue += value;
    if (is_number && series.ends_with("process=\"nowhere\"}")) in_nameless += value;
  }
  EXPECT_EQ(in_blue, 5);
  EXPECT_EQ(in_nameless, 7);
  EXPECT_TRUE(has_value(samples, kTotal, 14));
}

TEST_F(ConnectFailures, OfMultipathTcpAreCounted) {
  if (!has_sysctl("net/mptcp/enabled")) GTEST_SKIP() << "this kernel has no MPTCP";
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  start_exporter();
  fail_to_connect(exhausted.endpoint(), 6, {.protocol = IPPROTO_MPTCP});
  const Samples samples = settled();
  EXPECT_TRUE(has_value(samples, series(ipv4_addressing(), exhausted.endpoint()), 6));
  EXPECT_TRUE(has_value(samples, kTotal, 6));
}

FileDescriptor open_socket(int family = AF_INET, int type = SOCK_STREAM) {
  return FileDescriptor(::socket(family, type | SOCK_CLOEXEC, 0));
}

/// A SYN that nobody answers: the listener's queue is full.
int time_out() {
  write_sysctl("net/ipv4/tcp_syn_retries", "1");
  const Service service(ipv4_addressing(), {.backlog = 0});
  const FileDescriptor queued = fill_accept_queue(service);
  const FileDescriptor socket = open_socket();
  const unsigned milliseconds = 100;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
  return connect_error(socket, service.endpoint());
}

void have_a_connection_reset() {
  const Service service(ipv4_addressing());
  Connection connection = service.connect();
  reset_on_close(connection.server);
  connection.server = FileDescriptor();
  wait_for_state(connection.client, KernelState::kClose);
}

void give_up_in_syn_sent() {
  const Service service(ipv4_addressing(), {.backlog = 0});
  const FileDescriptor queued = fill_accept_queue(service);
  const FileDescriptor begun = begin_connect(service.endpoint());
  wait_for_state(begun, KernelState::kSynSent);
}

/// Two sockets bound to one port, which cannot both have the same quadruplet.
void conflict_with_an_explicit_bind() {
  const Service service(ipv4_addressing());
  const auto first = try_bind({"127.0.0.1", 50000}, {.reuses_address = true});
  const auto second = try_bind({"127.0.0.1", 50000}, {.reuses_address = true});
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(try_connect_bound(*first, service.endpoint()));
  EXPECT_EQ(connect_error(*second, service.endpoint()), EADDRNOTAVAIL)
      << "the same errno, but a port was there";
}

TEST_F(ConnectFailures, AreNotThoseThatFailForAnotherReason) {
  write_sysctl("net/ipv4/ip_local_port_range", "40000 40100");
  start_exporter();
  EXPECT_EQ(connect_error(open_socket(), {"127.0.0.1", 1}), ECONNREFUSED);
  EXPECT_EQ(connect_error(open_socket(AF_INET6), {"::1", 1}), ECONNREFUSED);
  EXPECT_EQ(connect_error(open_socket(), {"192.0.2.1", 80}), ENETUNREACH);
  EXPECT_EQ(time_out(), ETIMEDOUT);
  have_a_connection_reset();
  give_up_in_syn_sent();
  conflict_with_an_explicit_bind();
  EXPECT_TRUE(has_value(settled(), kTotal, 0));
}

TEST_F(ConnectFailures, AreNoUdp) {
  start_exporter();
  std::vector<FileDescriptor> sockets;
  int error = 0;
  while (error == 0 && sockets.size() < 10) {
    sockets.push_back(open_socket(AF_INET, SOCK_DGRAM));
    error = connect_error(sockets.back(), {"127.0.0.1", 53});
  }
  EXPECT_EQ(error, EAGAIN) << "four ports are all that there are";
  EXPECT_TRUE(has_value(settled(), kTotal, 0));
}

TEST_F(ConnectFailures, OfASocketThatHadAPortOnceAreMissed) {
  // The limit that docs/metrics.md tells of: its source port is not 0.
  const Service service(ipv4_addressing());
  FileDescriptor used = open_connected(service.endpoint());
  const FileDescriptor accepted = accept_from(service.listener());
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  ASSERT_EQ(::connect(used.get(), &unspecified, sizeof(unspecified)), 0);
  FileDescriptor refused = open_socket(AF_INET);
  ASSERT_EQ(connect_error(refused, {"127.0.0.1", 1}), ECONNREFUSED);
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  start_exporter();
  EXPECT_EQ(connect_error(used, exhausted.endpoint()), EADDRNOTAVAIL);
  EXPECT_EQ(connect_error(refused, exhausted.endpoint()), EADDRNOTAVAIL);
  EXPECT_TRUE(has_value(settled(), kTotal, 0));
  fail_to_connect(exhausted.endpoint(), 1);
  EXPECT_TRUE(has_value(settled(), kTotal, 1)) << "a new one is not";
}

TEST_F(ConnectFailures, AFloodKeepsToItsShareOfACore) {
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  start_exporter("500ms");
  const pid_t pid = exporter().process().pid();
  const double polls_before = value_of(exporter().get(), "timewait_exporter_polls_total");
  const auto cpu_before = cpu_time_of(pid);
  const auto start = std::chrono::steady_clock::now();
  std::size_t failures = 0;
  while (std::chrono::steady_clock::now() < start + 2s) {
    fail_to_connect(exhausted.endpoint(), 100);
    failures += 100;
  }
  const std::chrono::duration<double> cpu = cpu_time_of(pid) - cpu_before;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const Samples samples = settled();
  EXPECT_TRUE(has_value(samples, kTotal, static_cast<double>(failures)));
  // Without a bound it would take more than half a core. Events get half a percent, polls come on
  // top; a sanitizer makes these ten times as dear.
  const double polls = value_of(samples, "timewait_exporter_polls_total") - polls_before;
  EXPECT_LE(cpu.count(), 0.005 * (elapsed.count() + 15) + 0.02 * polls + 0.05)
      << failures << " failures, " << polls << " polls";
}

TEST_F(ConnectFailures, AreCountedWhereTracefsIsBelowDebugfs) {
  ASSERT_TRUE(unmount(tracefs()));
  ASSERT_TRUE(mount_filesystem("debugfs", tracefs()));
  const ExhaustedDestinationOf exhausted(ipv4_addressing());
  start_exporter();
  fail_to_connect(exhausted.endpoint(), 2);
  EXPECT_TRUE(has_value(settled(), kTotal, 2));
}

TEST_F(ConnectFailures, AreNotTakenFor0WithoutTracefs) {
  ASSERT_TRUE(unmount(tracefs()));
  const PollingExporter blind;
  const Samples samples = blind.get();
  EXPECT_TRUE(has_value(samples, kAvailable, 0));
  EXPECT_EQ(samples.find(kTotal), std::nullopt);
  EXPECT_EQ(samples.count(kByDestination), 0U);
  EXPECT_TRUE(has_sockets(samples, {})) << "the others go on";
  EXPECT_TRUE(has_value(samples,
                        "timewait_exporter_collector_errors_total{collector=\"connect_failures\","
                        "reason=\"unavailable\"}",
                        1));
}

}  // namespace
}  // namespace timewait::test
