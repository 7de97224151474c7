#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/file_descriptor.h"
#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"

namespace timewait::test {
namespace {

constexpr std::uint16_t kLow = 40000;
constexpr std::uint16_t kHigh = 40199;
/// Outside the range.
constexpr std::uint16_t kServicePort = 30000;

/// In a namespace with a range of 200 ephemeral ports.
class EphemeralPorts : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    write_sysctl("net/ipv4/ip_local_port_range",
                 std::to_string(kLow) + " " + std::to_string(kHigh));
  }
};

/// Sockets, and the distinct local ports that they hold.
class Holders {
 public:
  void hold(FileDescriptor socket) {
    ports_.insert(Endpoint::local_of(socket).port());
    sockets_.push_back(std::move(socket));
  }
  void hold(Connection connection) {
    hold(std::move(connection.client));
    hold(std::move(connection.server));
  }

  std::size_t ports() const { return ports_.size(); }
  std::size_t ports_in_range() const {
    return static_cast<std::size_t>(
        std::distance(ports_.lower_bound(kLow), ports_.upper_bound(kHigh)));
  }

 private:
  std::vector<FileDescriptor> sockets_;
  std::set<std::uint16_t> ports_;
};

/// What no connect() may use and the dump shows as such: listeners and, where the kernel reports
/// them, bound idle sockets.
Holders hold_blocked_ports() {
  Holders blocked;
  blocked.hold(open_listener({"127.0.0.1", 40021}));
  blocked.hold(open_listener({"::1", 40022}));
  blocked.hold(open_listener({"::", 40023}));
  blocked.hold(open_listener({"127.0.0.1", 40024}));
  blocked.hold(open_listener({"127.0.0.2", 40024}));
  blocked.hold(open_listener({"::", 40024}, {.ipv6_only = true}));
  if (kernel_reports_bound_inactive()) {
    blocked.hold(open_bound({"127.0.0.1", 40025}));
    blocked.hold(open_bound({"::1", 40026}));
    blocked.hold(open_bound({"::ffff:127.0.0.3", 40027}));
    for (int i = 0; i < 5; ++i) blocked.hold(open_bound({"127.0.0.1", 0}));
  }
  return blocked;
}

/// Connects to `remote` until no port is free. The clients are added to `clients`.
std::size_t connect_until_exhausted(const Endpoint& remote, std::vector<FileDescriptor>& clients) {
  std::size_t count = 0;
  while (auto client = try_connect(remote)) {
    clients.push_back(*std::move(client));
    ++count;
  }
  return count;
}

std::size_t connect_until_exhausted(const Endpoint& remote) {
  std::vector<FileDescriptor> clients;
  return connect_until_exhausted(remote, clients);
}

std::size_t figure(const Samples& samples, const std::string& series) {
  return static_cast<std::size_t>(value_of(samples, series));
}

std::string blocked_series() {
  return of_self("timewait_ephemeral_ports_blocked", "evidence=\"observed\"");
}

TEST_F(EphemeralPorts, AreAllUnusedInAnIdleNamespace) {
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports"), 200));
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_reserved"), 0));
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_unused"), 200));
  EXPECT_TRUE(has_value(samples, blocked_series(), 0));
  EXPECT_TRUE(has_value(samples, of_self("timewait_bind_buckets"), 0));
}

TEST_F(EphemeralPorts, ExcludeReservedOnesOfTheRangeAndNoOthers) {
  write_sysctl("net/ipv4/ip_local_reserved_ports",
               "1024-1100,39990-40004,40010,40012-40015,40199-40300,50000");
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_reserved"), 5 + 1 + 4 + 1));
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports"), 189));
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_unused"), 189));
}

/// The sysctl takes a page at once; what is written behind the beginning is added to the list.
void reserve_every_other_port_from(std::uint32_t first) {
  constexpr std::uint32_t kPiece = 600 * 2;
  const FileDescriptor file(
      ::open("/proc/sys/net/ipv4/ip_local_reserved_ports", O_WRONLY | O_CLOEXEC));
  off_t offset = 0;
  for (std::uint32_t begin = first; begin <= 65535; begin += kPiece) {
    std::string list;
    for (std::uint32_t port = begin; port < begin + kPiece && port <= 65535; port += 2) {
      list += std::to_string(port) + ",";
    }
    list.back() = '\n';
    ASSERT_EQ(::pwrite(file.get(), list.data(), list.size(), offset),
              static_cast<ssize_t>(list.size()));
    offset += static_cast<off_t>(list.size());
  }
}

TEST_F(EphemeralPorts, ExcludeAllOfAListThatIsLongerThanAReadBuffer) {
  reserve_every_other_port_from(1025);
  const Samples samples = scrape({"sock_diag", "sysctl"});
  EXPECT_TRUE(
      has_value(samples, of_self("timewait_sysctl_net_ipv4_ip_local_reserved_ports_ports"), 32256));
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_reserved"), 100));
}

TEST_F(EphemeralPorts, AreBlockedByListenersAndBoundIdleSocketsOfEitherFamily) {
  write_sysctl("net/ipv4/ip_local_reserved_ports", "40100-40109");
  Holders blocked = hold_blocked_ports();
  const std::size_t expected = blocked.ports();
  ASSERT_EQ(blocked.ports_in_range(), expected);

  Holders others;  // reserved, or outside the range
  others.hold(open_listener({"127.0.0.1", 40105}));
  others.hold(open_listener({"127.0.0.1", kServicePort}));
  others.hold(open_bound({"::1", kHigh + 1}));
  const std::size_t idle_outside = kernel_reports_bound_inactive() ? 1 : 0;

  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports"), 190));
  EXPECT_TRUE(has_value(samples, blocked_series(), static_cast<double>(expected)));
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_unused"),
                        190 - static_cast<double>(expected)));
  EXPECT_TRUE(has_value(samples, of_self("timewait_bind_buckets"),
                        static_cast<double>(expected + 2 + idle_outside)));
}

TEST_F(EphemeralPorts, AreUsedButNotBlockedByConnections) {
  Holders holders;
  for (const Addressing& addressing : every_addressing()) {
    const Service service(addressing, {}, kServicePort);
    for (Connection& connection : service.connect(4)) holders.hold(std::move(connection));
  }
  ASSERT_EQ(holders.ports(), holders.ports_in_range() + 1) << "the service's port comes on top";
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_unused"),
                        static_cast<double>(200 - holders.ports_in_range())));
  EXPECT_TRUE(has_value(samples, blocked_series(), 0));
  EXPECT_TRUE(
      has_value(samples, of_self("timewait_bind_buckets"), static_cast<double>(holders.ports())));
}

TEST_F(EphemeralPorts, AreUsedByTimeWaitAndByFinWait2Minisocks) {
  std::set<std::uint16_t> ports;
  const Service service(ipv4_addressing(), {}, kServicePort);
  auto connections = service.connect(6);
  for (Connection& connection : connections)
    ports.insert(Endpoint::local_of(connection.client).port());
  for (std::size_t i = 0; i < 4; ++i) close_client_first(connections[i]);
  for (std::size_t i = 4; i < 6; ++i) orphan_half_closed(connections[i]);
  wait_for_count(KernelState::kTimeWait, 4);
  ASSERT_EQ(ports.size(), 6U);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_unused"), 194));
  EXPECT_TRUE(has_value(samples, blocked_series(), 0));
  EXPECT_TRUE(has_value(samples, of_self("timewait_bind_buckets"), 7));
}

TEST_F(EphemeralPorts, AreFreeAgainWhenTheirSocketsAreGone) {
  { const Holders blocked = hold_blocked_ports(); }
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_ephemeral_ports_unused"), 200));
  EXPECT_TRUE(has_value(samples, blocked_series(), 0));
}

/// To an IPv4 and an IPv6 destination, for which the kernel must find ports until it fails.
class ExhaustedPorts : public EphemeralPorts, public ::testing::WithParamInterface<Addressing> {};

INSTANTIATE_TEST_SUITE_P(, ExhaustedPorts, ::testing::ValuesIn(every_addressing()));

TEST_P(ExhaustedPorts, WereExactlyTheUnusedOnesWhereTheOthersAreAllBlocked) {
  write_sysctl("net/ipv4/ip_local_reserved_ports", "40100-40109,40150");
  const Service service(GetParam(), {}, kServicePort);
  const Holders blocked = hold_blocked_ports();
  const Samples before = scrape({"sock_diag"});

  std::vector<FileDescriptor> clients;
  EXPECT_EQ(connect_until_exhausted(service.endpoint(), clients),
            figure(before, of_self("timewait_ephemeral_ports_unused")));
  const Samples after = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(after, of_self("timewait_ephemeral_ports_unused"), 0));
  EXPECT_EQ(figure(after, blocked_series()), figure(before, blocked_series()));
}

TEST_P(ExhaustedPorts, LieBetweenTheUnusedAndTheNotBlockedOnes) {
  write_sysctl("net/ipv4/ip_local_reserved_ports", "40003,40120-40140,41000");
  const Service service(GetParam(), {}, kServicePort);
  const Holders blocked = hold_blocked_ports();
  Holders others;
  const Service elsewhere(GetParam(), {}, kServicePort + 1);
  for (Connection& connection : elsewhere.connect(40)) others.hold(std::move(connection));
  for (int i = 0; i < 10; ++i) {
    others.hold(open_connected_from({GetParam().connect_address, 0}, elsewhere.endpoint()));
  }

  const Samples samples = scrape({"sock_diag"});
  const std::size_t unused = figure(samples, of_self("timewait_ephemeral_ports_unused"));
  const std::size_t not_blocked =
      figure(samples, of_self("timewait_ephemeral_ports")) - figure(samples, blocked_series());
  ASSERT_LT(unused, not_blocked);
  const std::size_t succeeded = connect_until_exhausted(service.endpoint());
  EXPECT_GE(succeeded, unused);
  EXPECT_LE(succeeded, not_blocked);
}

}  // namespace
}  // namespace timewait::test
