#include "collectors/model/socket_table.h"

#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::connection;
using test::idle_socket;

constexpr Listeners::Time kNow{1h};

ConnectPorts::Conditions ten_ports() {
  return {.ports = compute_ephemeral_ports({40000, 40009}, PortSet{}), .reuse = {}};
}

PortReport pass(SocketTable& table, const std::vector<Socket>& sockets,
                const std::optional<ConnectPorts::Conditions>& conditions = ten_ports(),
                Listeners::Time now = kNow) {
  table.begin_pass(now, conditions);
  for (const Socket& socket : sockets) table.add(socket);
  return table.end_pass(20);
}

TEST(SocketTable, SendsEachSocketToItsSide) {
  SocketTable table(100);
  const auto report = pass(table, {idle_socket("0.0.0.0", 443), idle_socket("192.0.2.1", 40001),
                                   connection("192.0.2.1", 443, {"203.0.113.5", 1}),
                                   connection("192.0.2.1", 40001, {"203.0.113.5", 2}),  // accepted
                                   connection("192.0.2.1", 40000), connection("192.0.2.2", 40001),
                                   connection("192.0.2.1", 22, {"203.0.113.5", 3})});
  EXPECT_EQ(report.server.sockets, 2U);
  EXPECT_EQ(report.connect->sockets, 2U) << "the listener covers another address";
  EXPECT_EQ(report.connect->blocked.observed.size(), 1U);
  EXPECT_EQ(report.bind->addresses, 3U);
  EXPECT_EQ(table.ports().in_use().size(), 4U);
}

TEST(SocketTable, AnIpv6OnlyListenerAcceptsNoIpv4) {
  SocketTable table(100);
  const std::vector<Socket> connections{connection("192.0.2.1", 40001),
                                        connection("::ffff:192.0.2.1", 40002),
                                        connection("2001:db8::1", 40001, {"2001:db8::5", 1})};
  auto sockets = connections;
  sockets.insert(sockets.begin(), {idle_socket("::", 40001, true), idle_socket("::", 40002, true)});
  auto report = pass(table, sockets);
  EXPECT_EQ(report.server.sockets, 1U);
  EXPECT_EQ(report.connect->sockets, 2U);

  SocketTable dual(100);
  sockets[0].ipv6_only = false;
  sockets[1].ipv6_only = false;
  report = pass(dual, sockets);
  EXPECT_EQ(report.server.sockets, 3U);
  EXPECT_EQ(report.connect->sockets, 0U);
}

TEST(SocketTable, ASocketWithoutAPortHasAStateAlone) {
  SocketTable table(100);
  const auto report = pass(table, {connection("192.0.2.1", 0), idle_socket("0.0.0.0", 0)});
  EXPECT_EQ(table.states().of(Family::kIpv4, TcpState::kEstablished), 1U);
  EXPECT_EQ(table.states().of(Family::kIpv4, TcpState::kListen), 1U);
  EXPECT_EQ(report.connect->tuples, 0U);
  EXPECT_EQ(report.bind->addresses, 0U);
  EXPECT_TRUE(report.connect->blocked.observed.empty());
}

TEST(SocketTable, WithoutARangeThereAreNoPortsToUse) {
  SocketTable table(100);
  const std::vector<Socket> sockets{idle_socket("0.0.0.0", 40001), connection("192.0.2.1", 40000),
                                    connection("192.0.2.1", 40001)};
  auto report = pass(table, sockets, std::nullopt);
  EXPECT_FALSE(report.connect);
  EXPECT_FALSE(report.bind);
  EXPECT_EQ(report.server.sockets, 1U);
  report = pass(table, sockets);
  EXPECT_EQ(report.connect->top.at(0).used, 2U) << "nothing is left of the pass before";
}

TEST(SocketTable, AnExplicitBindFoundWithoutARangeIsCountedOnceWithOne) {
  SocketTable table(100);
  const Socket bound = connection("192.0.2.1", 40000);
  table.begin_pass(kNow, std::nullopt);
  table.add_explicit_bind(bound);
  table.add(bound);
  table.end_pass(20);
  const auto report = pass(table, {bound, connection("192.0.2.1", 40002, {"198.51.100.8", 80})});
  EXPECT_EQ(report.connect->blocked.observed.size(), 1U);
  EXPECT_EQ(report.connect->top.at(0).used, 2U);
  EXPECT_EQ(report.connect->top.at(1).used, 1U);
}

TEST(SocketTable, ABrokenPassLeavesNothingBehind) {
  SocketTable table(100);
  table.begin_pass(kNow, ten_ports());
  table.add(idle_socket("192.0.2.1", 40002, std::nullopt, TcpState::kBoundInactive));
  table.add(connection("192.0.2.1", 40000));
  const auto report = pass(table, {connection("192.0.2.1", 40004)});
  EXPECT_EQ(report.connect->sockets, 1U);
  EXPECT_EQ(report.connect->top.at(0).used, 1U);
  EXPECT_EQ(report.bind->used_max, 1U);
  EXPECT_EQ(table.states().of(Family::kIpv4, TcpState::kBoundInactive), 0U);
}

TEST(SocketTable, TheServersRoleEndsAMinuteAfterItsListener) {
  SocketTable table(100);
  const Socket accepted = connection("192.0.2.1", 40000);
  pass(table, {idle_socket("192.0.2.1", 40000), accepted});
  auto report = pass(table, {accepted}, ten_ports(), kNow + 60s);
  EXPECT_EQ(report.server.sockets, 1U);
  EXPECT_EQ(report.connect->blocked.inferred.size(), 1U);
  report = pass(table, {accepted}, ten_ports(), kNow + 61s);
  EXPECT_EQ(report.server.sockets, 0U);
  EXPECT_EQ(report.connect->blocked.inferred.size(), 1U) << "its bucket is still the listener's";
  EXPECT_EQ(report.connect->top.at(0).used, 1U);
}

TEST(SocketTable, SidesHaveBoundsOfTheirOwn) {
  SocketTable table(2);
  std::vector<Socket> sockets{idle_socket("0.0.0.0", 443)};
  for (std::uint16_t i = 1; i <= 3; ++i) {
    sockets.push_back(connection("192.0.2.1", 40000, {"198.51.100.7", i}));
  }
  sockets.push_back(connection("192.0.2.1", 443, {"203.0.113.5", 1}));
  sockets.push_back(connection("192.0.2.1", 443, {"203.0.113.6", 1}));
  const auto report = pass(table, sockets);
  EXPECT_EQ(report.connect->error_bound, 1U);
  EXPECT_EQ(report.server.error_bound, 0U);
}

}  // namespace
}  // namespace timewait
