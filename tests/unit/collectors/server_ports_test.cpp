#include "collectors/model/server_ports.h"

#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::connection;
using test::minisock;

ServerReport report_of(ServerPorts& ports, const std::vector<Socket>& sockets,
                       std::size_t limit = 20) {
  ports.begin_pass();
  for (const Socket& socket : sockets) ports.add(socket);
  return ports.end_pass(limit);
}

std::vector<std::string> list(const ServerReport& report) {
  std::vector<std::string> tuples;
  for (const ServerUsage& usage : report.top) {
    tuples.push_back(to_string(usage.tuple.local) + " " + std::to_string(usage.tuple.local_port) +
                     " " + to_string(usage.tuple.remote) + ": " + std::to_string(usage.used));
  }
  return tuples;
}

TEST(ServerPorts, CountTheRemotePortsOfEachHostAtEachPort) {
  ServerPorts ports(100);
  const auto report =
      report_of(ports, {connection("192.0.2.1", 443, {"203.0.113.5", 1000}),
                        minisock(connection("192.0.2.1", 443, {"203.0.113.5", 1001}), 1s),
                        connection("192.0.2.1", 443, {"203.0.113.5", 1002}, TcpState::kCloseWait),
                        connection("192.0.2.1", 444, {"203.0.113.5", 1000}),
                        connection("192.0.2.2", 443, {"203.0.113.5", 1000}),
                        connection("192.0.2.2", 443, {"203.0.113.6", 1000})});
  EXPECT_THAT(list(report), ::testing::ElementsAre(
                                "192.0.2.1 443 203.0.113.5: 3", "192.0.2.1 444 203.0.113.5: 1",
                                "192.0.2.2 443 203.0.113.5: 1", "192.0.2.2 443 203.0.113.6: 1"));
  EXPECT_EQ(report.tuples, 4U);
  EXPECT_EQ(report.sockets, 6U);
  EXPECT_EQ(report.used_max, 3U);
  EXPECT_EQ(report.error_bound, 0U);
  // time_wait, fin_wait2, established, syn_sent, close_wait, other
  EXPECT_THAT(report.top.at(0).states.counts(), ::testing::ElementsAre(1, 0, 1, 0, 1, 0));
}

TEST(ServerPorts, MappedIpv4IsTheSameHost) {
  ServerPorts ports(100);
  const auto report =
      report_of(ports, {connection("192.0.2.1", 443, {"203.0.113.5", 1000}),
                        connection("::ffff:192.0.2.1", 443, {"::ffff:203.0.113.5", 1001}),
                        connection("2001:db8::1", 443, {"2001:db8::5", 1000})});
  EXPECT_THAT(list(report), ::testing::ElementsAre("192.0.2.1 443 203.0.113.5: 2",
                                                   "2001:db8::1 443 2001:db8::5: 1"));
}

TEST(ServerPorts, ForgetThePassBefore) {
  ServerPorts ports(100);
  const auto connected = connection("192.0.2.1", 443, {"203.0.113.5", 1000});
  report_of(ports, {connected, connected});
  EXPECT_THAT(list(report_of(ports, {connected})),
              ::testing::ElementsAre("192.0.2.1 443 203.0.113.5: 1"));
  EXPECT_EQ(report_of(ports, {}).used_max, 0U);
}

TEST(ServerPorts, ShowAsManyAsAreWanted) {
  ServerPorts ports(100);
  const std::vector<Socket> sockets{connection("192.0.2.1", 443, {"203.0.113.5", 1000}),
                                    connection("192.0.2.1", 443, {"203.0.113.6", 1000}),
                                    connection("192.0.2.1", 443, {"203.0.113.6", 1001})};
  EXPECT_THAT(list(report_of(ports, sockets, 1)),
              ::testing::ElementsAre("192.0.2.1 443 203.0.113.6: 2"));
  const auto none = report_of(ports, sockets, 0);
  EXPECT_TRUE(none.top.empty());
  EXPECT_EQ(none.used_max, 2U);
}

TEST(ServerPorts, BeyondMaxTuplesKeepTheHeaviest) {
  ServerPorts ports(2);
  std::vector<Socket> sockets;
  for (std::uint16_t port = 1; port <= 10; ++port) {
    sockets.push_back(connection("192.0.2.1", 443, {"203.0.113.5", port}));
  }
  sockets.push_back(connection("192.0.2.1", 443, {"203.0.113.6", 1}));
  sockets.push_back(connection("192.0.2.1", 443, {"203.0.113.7", 1}));
  const auto report = report_of(ports, sockets);
  EXPECT_THAT(list(report), ::testing::ElementsAre("192.0.2.1 443 203.0.113.5: 10",
                                                   "192.0.2.1 443 203.0.113.7: 1"));
  EXPECT_EQ(report.sockets, 12U);
  EXPECT_EQ(report.tuples, 3U);
  EXPECT_EQ(report.error_bound, 1U);
}

}  // namespace
}  // namespace timewait
