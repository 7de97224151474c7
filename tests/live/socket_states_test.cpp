#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"

// Known numbers of sockets in every state against timewait_sockets, zeros included. `close` is not
// among them: the kernel passes through it between two others with the socket locked, and what
// stays in it (a socket that was never connected) is in none of the tables that a dump walks.

namespace timewait::test {
namespace {

/// In each addressing.
class SocketStates : public NetworkNamespaceTest, public ::testing::WithParamInterface<Addressing> {
 protected:
  /// The label pairs of this addressing.
  static ExpectedSockets::key_type connected(const std::string& state) {
    return {GetParam().family, state};
  }
  static ExpectedSockets::key_type listening() { return {GetParam().listen_family, "listen"}; }
};

INSTANTIATE_TEST_SUITE_P(, SocketStates, ::testing::ValuesIn(every_addressing()));

TEST_P(SocketStates, CountsNothingButAListener) {
  const Service service(GetParam());
  EXPECT_TRUE(has_sockets(scrape({"sock_diag"}), {{listening(), 1}}));
}

TEST_P(SocketStates, CountsBothEndsOfEstablishedConnections) {
  const Service service(GetParam());
  const auto connections = service.connect(3);
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}), {{listening(), 1}, {connected("established"), 6}}));
}

TEST_P(SocketStates, CountsSynSentAtAFullAcceptQueue) {
  const Service service(GetParam(), {.backlog = 0});
  const FileDescriptor queued = fill_accept_queue(service);
  const FileDescriptor first = begin_connect(service.endpoint());
  const FileDescriptor second = begin_connect(service.endpoint());
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("established"), 2}, {connected("syn_sent"), 2}}));
}

TEST_P(SocketStates, CountsSynRecvOfADeferredAccept) {
  const Service service(GetParam(), {.defers_accept = true});
  const FileDescriptor first = open_connected(service.endpoint());
  const FileDescriptor second = open_connected(service.endpoint());
  wait_for_count(KernelState::kSynRecv, 2);
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("established"), 2}, {connected("syn_recv"), 2}}));
}

TEST_P(SocketStates, CountsFinWait1BehindUnsentData) {
  const Service service(GetParam());
  auto connections = service.connect(2);
  for (Connection& connection : connections) hold_in_fin_wait1(connection);
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("established"), 2}, {connected("fin_wait1"), 2}}));
}

TEST_P(SocketStates, CountsAnOrphanedFinWait1) {
  const Service service(GetParam());
  Connection connection = service.connect();
  hold_in_fin_wait1(connection);
  connection.client = FileDescriptor();
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("established"), 1}, {connected("fin_wait1"), 1}}));
}

TEST_P(SocketStates, CountsAHalfClosedFinWait2AsFullSocketAndItsPeerInCloseWait) {
  const Service service(GetParam());
  auto connections = service.connect(3);
  for (Connection& connection : connections) half_close(connection);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_sockets(
      samples, {{listening(), 1}, {connected("fin_wait2"), 3}, {connected("close_wait"), 3}}));
  EXPECT_TRUE(has_value(samples, of_self("timewait_fin_wait2_minisocks"), 0));
}

TEST_P(SocketStates, CountsAnOrphanedFinWait2AsMinisock) {
  const Service service(GetParam());
  auto connections = service.connect(3);
  half_close(connections[0]);
  orphan_half_closed(connections[1]);
  orphan_half_closed(connections[2]);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_sockets(
      samples, {{listening(), 1}, {connected("fin_wait2"), 3}, {connected("close_wait"), 3}}));
  EXPECT_TRUE(has_value(samples, of_self("timewait_fin_wait2_minisocks"), 2));
}

TEST_P(SocketStates, CountsAnOrphanedFinWait2AsFullSocketWhereFinTimeoutExceedsAMinute) {
  write_sysctl("net/ipv4/tcp_fin_timeout", "120");
  const Service service(GetParam());
  Connection connection = service.connect();
  orphan_half_closed(connection);
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_sockets(
      samples, {{listening(), 1}, {connected("fin_wait2"), 1}, {connected("close_wait"), 1}}));
  EXPECT_TRUE(has_value(samples, of_self("timewait_fin_wait2_minisocks"), 0));
}

TEST_P(SocketStates, CountsTimeWaitOfWhicheverEndClosedFirst) {
  const Service service(GetParam());
  auto connections = service.connect(5);
  close_client_first(connections[0]);
  close_client_first(connections[1]);
  close_server_first(connections[2]);
  wait_for_count(KernelState::kTimeWait, 3);
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("established"), 4}, {connected("time_wait"), 3}}));
}

TEST_P(SocketStates, CountsLastAckBehindUnsentData) {
  const Service service(GetParam());
  auto connections = service.connect(2);
  for (Connection& connection : connections) hold_in_last_ack(connection);
  wait_for_count(KernelState::kLastAck, 2);
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("fin_wait2"), 2}, {connected("last_ack"), 2}}));
}

TEST_P(SocketStates, CountsClosingWhereBothEndsSentFinAndOneHasUnsentData) {
  const Service service(GetParam());
  auto connections = service.connect(2);
  for (Connection& connection : connections) hold_in_closing(connection);
  EXPECT_TRUE(
      has_sockets(scrape({"sock_diag"}),
                  {{listening(), 1}, {connected("closing"), 2}, {connected("fin_wait2"), 2}}));
}

TEST_P(SocketStates, CountsBoundSocketsThatNeitherListenNorConnect) {
  if (!kernel_reports_bound_inactive()) GTEST_SKIP() << "this kernel does not report them";
  const FileDescriptor chosen_by_kernel = open_bound({GetParam().connect_address, 0});
  const FileDescriptor chosen_by_name = open_bound({GetParam().connect_address, 5001});
  EXPECT_TRUE(has_sockets(scrape({"sock_diag"}), {{connected("bound_inactive"), 2}}));
}

}  // namespace
}  // namespace timewait::test
