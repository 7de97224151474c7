#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/read_sockets.h"
#include "daemon/kernel/fixture_kernel.h"
#include "tests/unit/golden/recorded_host.h"

namespace timewait::test {
namespace {

std::string describe(const Socket& socket) {
  std::string text = std::to_string(static_cast<int>(socket.state)) + " " +
                     to_string(socket.local) + " " + std::to_string(socket.local_port) + " " +
                     to_string(socket.remote) + " " + std::to_string(socket.remote_port);
  if (socket.is_minisock) text += " minisock";
  return text;
}

/// All that a source tells of every host: the time that is left to a minisock differs between two
/// reads, and /proc/net knows nothing of IPV6_V6ONLY and of bound idle sockets.
Result<std::vector<std::string>> read_common(const RecordedHost& host, SocketSource source) {
  FixtureKernel kernel(host.directory());
  std::vector<std::string> sockets;
  const auto on_socket = [&](const Socket& socket) {
    if (socket.state != TcpState::kBoundInactive) sockets.push_back(describe(socket));
  };
  const auto ignore = [](const Socket&) {};
  return read_sockets(kernel, source, {.bound_inactive = true}, on_socket, ignore).map([&] {
    std::ranges::sort(sockets);
    return sockets;
  });
}

std::vector<RecordedHost> hosts_with_whole_netlink() {
  std::vector<RecordedHost> hosts = recorded_hosts();
  std::erase_if(hosts, [](const RecordedHost& host) {
    return !read_common(host, SocketSource::kBothFamilies).has_value();
  });
  return hosts;
}

class RecordedSockets : public testing::TestWithParam<RecordedHost> {};

TEST_P(RecordedSockets, AreTheSameFromEverySource) {
  const RecordedHost& host = GetParam();
  const auto one_walk = read_common(host, SocketSource::kBothFamilies);
  const auto by_family = read_common(host, SocketSource::kByFamily);
  const auto proc = read_common(host, SocketSource::kProcNetTcp);
  ASSERT_TRUE(one_walk) << one_walk.error().text();
  ASSERT_TRUE(by_family) << by_family.error().text();
  ASSERT_TRUE(proc) << proc.error().text();
  EXPECT_EQ(*one_walk, *by_family) << "in " << host.directory() / "netlink";
  EXPECT_EQ(*one_walk, *proc) << host.directory() / "netlink"
                              << " and " << host.directory() / "proc/net"
                              << " are not of one moment";
}

INSTANTIATE_TEST_SUITE_P(Host, RecordedSockets, testing::ValuesIn(hosts_with_whole_netlink()));

}  // namespace
}  // namespace timewait::test
