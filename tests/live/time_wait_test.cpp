#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"

namespace timewait::test {
namespace {

std::string with_role(const std::string& role) {
  return of_self("timewait_time_wait_sockets", "role=\"" + role + "\"");
}

std::string expiring_within(const std::string& seconds) {
  return of_self("timewait_time_wait_expiring_sockets", "within_seconds=\"" + seconds + "\"");
}

/// The server's ends of these go into TIME-WAIT at the listener's port.
void leave_time_wait_at_server(const Service& service, std::size_t count) {
  for (Connection& connection : service.connect(count)) close_server_first(connection);
}

class TimeWaitRole : public NetworkNamespaceTest,
                     public ::testing::WithParamInterface<Addressing> {};

INSTANTIATE_TEST_SUITE_P(, TimeWaitRole, ::testing::ValuesIn(every_addressing()));

TEST_P(TimeWaitRole, IsServerAtAListenersPortAndClientAtTheOtherEnd) {
  const Service service(GetParam());
  auto connections = service.connect(5);
  for (std::size_t i = 0; i < 3; ++i) close_server_first(connections[i]);
  for (std::size_t i = 3; i < 5; ++i) close_client_first(connections[i]);
  wait_for_count(KernelState::kTimeWait, 5);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, with_role("server"), 3));
  EXPECT_TRUE(has_value(samples, with_role("client"), 2));
}

class TimeWait : public NetworkNamespaceTest {};

TEST_F(TimeWait, IsTheClientsWhereTheListenerIsGone) {
  leave_time_wait_at_server(Service(ipv4_addressing()), 2);
  wait_for_count(KernelState::kTimeWait, 2);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, with_role("server"), 0));
  EXPECT_TRUE(has_value(samples, with_role("client"), 2));
}

TEST_F(TimeWait, IsTheServersBelowAListenerOnAMappedAddress) {
  const Service service({"", "::ffff:127.0.0.1", "127.0.0.1", "", ""});
  leave_time_wait_at_server(service, 2);
  wait_for_count(KernelState::kTimeWait, 2);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, with_role("server"), 2));
  EXPECT_TRUE(has_sockets(samples, {{{"ipv4", "listen"}, 1}, {{"ipv4", "time_wait"}, 2}}));
}

TEST_F(TimeWait, IsNotTheServersBelowAListenerOnAnotherAddress) {
  leave_time_wait_at_server(Service(ipv4_addressing(), {}, 5000), 1);
  const FileDescriptor other = open_listener({"127.0.0.2", 5000});
  wait_for_count(KernelState::kTimeWait, 1);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, with_role("server"), 0));
  EXPECT_TRUE(has_value(samples, with_role("client"), 1));
}

TEST_F(TimeWait, OfIpv4IsNotTheServersBelowAnIpv6OnlyListener) {
  leave_time_wait_at_server(Service(ipv4_addressing(), {}, 5000), 1);
  const FileDescriptor ipv6_only = open_listener({"::", 5000}, {.ipv6_only = true});
  wait_for_count(KernelState::kTimeWait, 1);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, with_role("server"), 0));
  EXPECT_TRUE(has_value(samples, with_role("client"), 1));
}

TEST_F(TimeWait, HasMoreThanThirtyAndAtMostSixtySecondsLeftWhenFresh) {
  const Service service(ipv4_addressing());
  leave_time_wait_at_server(service, 4);
  wait_for_count(KernelState::kTimeWait, 4);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, expiring_within("5"), 0));
  EXPECT_TRUE(has_value(samples, expiring_within("15"), 0));
  EXPECT_TRUE(has_value(samples, expiring_within("30"), 0));
  EXPECT_TRUE(has_value(samples, expiring_within("60"), 4));
}

TEST_F(TimeWait, LeavesFinWait2MinisocksOutOfItsRolesAndExpiry) {
  write_sysctl("net/ipv4/tcp_fin_timeout", "10");
  const Service service(ipv4_addressing());
  auto connections = service.connect(3);
  close_client_first(connections[0]);
  orphan_half_closed(connections[1]);
  orphan_half_closed(connections[2]);
  wait_for_count(KernelState::kTimeWait, 1);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_fin_wait2_minisocks"), 2));
  EXPECT_TRUE(has_value(samples, with_role("client"), 1));
  EXPECT_TRUE(has_value(samples, with_role("server"), 0));
  EXPECT_TRUE(has_value(samples, expiring_within("15"), 0));
  EXPECT_TRUE(has_value(samples, expiring_within("60"), 1));
}

TEST_F(TimeWait, AgreesWithSockstatWhichCountsFinWait2MinisocksToo) {
  const Service ipv4(ipv4_addressing());
  const Service ipv6(ipv6_addressing());
  const Service mapped(mapped_addressing());
  leave_time_wait_at_server(ipv4, 3);
  leave_time_wait_at_server(ipv6, 2);
  leave_time_wait_at_server(mapped, 1);
  auto half_closed = ipv6.connect(2);
  for (Connection& connection : half_closed) orphan_half_closed(connection);
  wait_for_count(KernelState::kTimeWait, 6);
  const Samples samples = scrape({"sock_diag", "sockstat"});
  EXPECT_TRUE(has_sockets(samples, {{{"ipv4", "listen"}, 1},
                                    {{"ipv6", "listen"}, 2},
                                    {{"ipv4", "time_wait"}, 4},
                                    {{"ipv6", "time_wait"}, 2},
                                    {{"ipv6", "fin_wait2"}, 2},
                                    {{"ipv6", "close_wait"}, 2}}));
  EXPECT_TRUE(has_value(samples, of_self("timewait_sockstat_tcp_time_wait"), 8));
}

}  // namespace
}  // namespace timewait::test
