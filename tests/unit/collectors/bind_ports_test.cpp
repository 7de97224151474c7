#include "collectors/model/bind_ports.h"

#include <algorithm>

#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::connection;
using test::connections;
using test::idle_socket;
using test::minisock;
using test::operator+;

PortSet range(std::uint16_t low, std::uint16_t high) {
  PortSet ports;
  ports.insert_range(low, high);
  return ports;
}

const PortSet kCapacity = range(40000, 40009);

BindReport report_of(BindPorts& ports, const std::vector<Socket>& sockets, std::size_t limit = 20) {
  ports.begin_pass();
  for (const Socket& socket : sockets) ports.add(socket);
  return ports.end_pass(kCapacity, limit);
}

BindReport report_of(const std::vector<Socket>& sockets, std::size_t limit = 20) {
  BindPorts ports;
  return report_of(ports, sockets, limit);
}

/// Nothing for an address that is not in the report.
std::optional<std::uint64_t> used(const BindReport& report, const char* local) {
  const auto found = std::ranges::find(report.top, address(local), &BindUsage::local);
  return found == report.top.end() ? std::nullopt : std::optional(found->used);
}

TEST(BindPorts, EverySocketOfAnAddressHoldsItsPortWhateverItsDestination) {
  const auto report = report_of(
      connections("192.0.2.1", {"198.51.100.7", 80}, {40000, 40002}) +
      connections("192.0.2.1", {"198.51.100.8", 80}, {40002, 40004}) +
      std::vector{minisock(connection("192.0.2.1", 40006), 1s),
                  minisock(connection("192.0.2.1", 40007), 1s, TcpState::kFinWait2),
                  idle_socket("192.0.2.1", 40008),
                  idle_socket("192.0.2.1", 40009, std::nullopt, TcpState::kBoundInactive)} +
      connections("192.0.2.2", {"198.51.100.7", 80}, {40001}));
  EXPECT_EQ(used(report, "192.0.2.1"), 7U);
  EXPECT_EQ(used(report, "192.0.2.2"), 1U);
  EXPECT_EQ(used(report, "0.0.0.0"), 8U) << "needs a port that no IPv4 socket holds";
  EXPECT_EQ(used(report, "::"), std::nullopt) << "there is no IPv6 socket";
  EXPECT_EQ(report.addresses, 3U);
  EXPECT_EQ(report.used_max, 8U);
}

TEST(BindPorts, OnlyCapacityPortsCount) {
  const auto report = report_of(connections("192.0.2.1", {}, {39999, 40000, 40009, 40010, 80}));
  EXPECT_EQ(used(report, "192.0.2.1"), 2U);
}

struct Wildcard {
  const char* what;
  Socket socket;
  std::uint64_t ipv4, any_ipv4, ipv6, any_ipv6;  // ports that bind() to each of them cannot take
};

class BindPortsUnderAWildcard : public ::testing::TestWithParam<Wildcard> {};

TEST_P(BindPortsUnderAWildcard, OverlapAsTheKernelSays) {
  const Wildcard& row = GetParam();
  const auto report =
      report_of({connection("192.0.2.1", 40001),
                 connection("2001:db8::1", 40002, {"2001:db8::7", 80}), row.socket});
  EXPECT_EQ(used(report, "192.0.2.1"), row.ipv4) << row.what;
  EXPECT_EQ(used(report, "0.0.0.0"), row.any_ipv4) << row.what;
  EXPECT_EQ(used(report, "2001:db8::1"), row.ipv6) << row.what;
  EXPECT_EQ(used(report, "::"), row.any_ipv6) << row.what;
}

// Without the socket of the row: 1, 2, 1 and 2. The IPv6 connection holds its port from 0.0.0.0
// too.
INSTANTIATE_TEST_SUITE_P(
    Table, BindPortsUnderAWildcard,
    ::testing::Values(
        Wildcard{"0.0.0.0", idle_socket("0.0.0.0", 40005), 2, 3, 1, 3},
        Wildcard{"mapped 0.0.0.0", idle_socket("::ffff:0.0.0.0", 40005), 2, 3, 1, 3},
        Wildcard{":: of both families", idle_socket("::", 40005, false), 2, 3, 2, 3},
        Wildcard{":: as the default is", idle_socket("::", 40005), 2, 3, 2, 3},
        Wildcard{":: with IPV6_V6ONLY", idle_socket("::", 40005, true), 1, 2, 2, 3},
        Wildcard{"an idle :: with IPV6_V6ONLY",
                 idle_socket("::", 40005, true, TcpState::kBoundInactive), 1, 2, 2, 3},
        Wildcard{"an idle 0.0.0.0",
                 idle_socket("0.0.0.0", 40005, std::nullopt, TcpState::kBoundInactive), 2, 3, 1, 3},
        Wildcard{"another IPv4 address", idle_socket("192.0.2.9", 40005), 1, 3, 1, 3},
        Wildcard{"another IPv6 address", idle_socket("2001:db8::9", 40005), 1, 2, 1, 3},
        Wildcard{"a mapped address", connection("::ffff:192.0.2.1", 40005), 2, 3, 1, 3},
        Wildcard{"0.0.0.0 on a port in use", idle_socket("0.0.0.0", 40001), 1, 2, 1, 2}),
    [](const auto& row) { return std::to_string(row.index); });

TEST(BindPorts, TheTopIsOrderedByUsageAndAddress) {
  const auto sockets = connections("192.0.2.3", {}, {40000}) +
                       connections("192.0.2.1", {}, {40000}) +
                       connections("192.0.2.2", {}, {40001, 40002});
  const auto order = [&](std::size_t limit) {
    std::vector<std::string> names;
    for (const BindUsage& usage : report_of(sockets, limit).top) {
      names.push_back(to_string(usage.local));
    }
    return names;
  };
  EXPECT_THAT(order(20), ::testing::ElementsAre("0.0.0.0", "192.0.2.2", "192.0.2.1", "192.0.2.3"));
  EXPECT_THAT(order(2), ::testing::ElementsAre("0.0.0.0", "192.0.2.2"));
  const auto none = report_of(sockets, 0);
  EXPECT_TRUE(none.top.empty());
  EXPECT_EQ(none.used_max, 3U);
  EXPECT_EQ(none.addresses, 4U);
}

TEST(BindPorts, ForgetThePassBefore) {
  BindPorts ports;
  report_of(ports,
            connections("192.0.2.1", {}, {40000, 40001}) + std::vector{idle_socket("::", 40002)});
  const auto report = report_of(ports, connections("192.0.2.2", {}, {40005}));
  EXPECT_EQ(used(report, "192.0.2.2"), 1U) << "in the memory of 192.0.2.1";
  EXPECT_EQ(report.addresses, 2U);
  EXPECT_EQ(report_of(ports, {}).addresses, 0U);
  EXPECT_EQ(report_of(ports, {}).used_max, 0U);
}

std::vector<Socket> on_addresses(std::size_t count, std::size_t set = 0) {
  std::vector<Socket> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string local =
        "10." + std::to_string(set) + "." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    sockets.push_back(connection(local.c_str(), 40000));
  }
  return sockets;
}

TEST(BindPorts, FollowABoundedNumberOfAddresses) {
  BindPorts ports;
  const auto exact = report_of(ports, on_addresses(BindPorts::kMaxAddresses), 1000);
  EXPECT_EQ(exact.addresses, BindPorts::kMaxAddresses + 1) << "and the wildcard";
  EXPECT_EQ(exact.top.size(), BindPorts::kMaxAddresses + 1);

  const auto more = report_of(ports, on_addresses(2000), 1000);
  EXPECT_EQ(more.top.size(), BindPorts::kMaxAddresses + 1);
  EXPECT_NEAR(static_cast<double>(more.addresses), 2001, 4 * 0.0081 * 2001);
  EXPECT_EQ(used(more, "0.0.0.0"), 1U) << "the wildcards see every socket";

  EXPECT_EQ(report_of(ports, on_addresses(3), 1000).addresses, 4U);
}

TEST(BindPorts, FollowTheHeaviestAddressesOfTheLastPassWhereThereAreTooMany) {
  BindPorts ports;
  auto sockets = on_addresses(2000);
  // The last one that is met.
  for (const Socket& socket : connections("192.0.2.1", {}, {40001, 40002, 40003})) {
    sockets.push_back(socket);
  }
  EXPECT_EQ(used(report_of(ports, sockets, 1000), "192.0.2.1"), std::nullopt);
  const auto next = report_of(ports, sockets, 1000);
  EXPECT_EQ(used(next, "192.0.2.1"), 3U);
  EXPECT_EQ(next.top.size(), BindPorts::kMaxAddresses + 1);

  const auto gone = report_of(ports, on_addresses(3), 1000);
  EXPECT_EQ(used(gone, "192.0.2.1"), std::nullopt) << "it has no socket any more";
  EXPECT_EQ(used(gone, "10.0.0.2"), 1U) << "there is room for others";
  EXPECT_EQ(gone.addresses, 4U);
}

TEST(BindPorts, ThereAreNeverFewerAddressesThanAreShown) {
  // The estimate alone falls below the exact number in about every third set of addresses.
  BindPorts ports;
  for (std::size_t set = 0; set < 40; ++set) {
    const auto sockets = on_addresses(BindPorts::kMaxAddresses + 1, set);
    const auto report = report_of(ports, sockets, 1000);
    ASSERT_GT(report.addresses, report.top.size()) << "set " << set;
  }
}

}  // namespace
}  // namespace timewait
