#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/model/socket.h"
#include "collectors/parse/inet_diag.h"
#include "daemon/kernel/live_kernel.h"
#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"

namespace timewait::test {
namespace {

constexpr std::size_t kClientTimeWaits = 15'000;
constexpr std::size_t kServerTimeWaits = 5'000;
constexpr std::size_t kTimeWaits = kClientTimeWaits + kServerTimeWaits;

/// 20,000 TIME-WAIT sockets, spread over several destinations so that no search for a port is long.
class LargeDump : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    write_sysctl("net/ipv4/ip_local_port_range", "10000 60999");
    write_sysctl("net/ipv4/tcp_max_tw_buckets", "100000");
    for (const char* const address : {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"}) {
      services_.emplace_back(Addressing{"", address, address, "", ""}, ListenOptions{}, 9000);
    }
    for (std::size_t i = 0; i < kClientTimeWaits; ++i) leave_time_wait_at_client(i);
    for (std::size_t i = 0; i < kServerTimeWaits; ++i) leave_time_wait_at_server(i);
    wait_for_count(KernelState::kTimeWait, kTimeWaits);
  }

 private:
  const Service& service(std::size_t i) const { return services_[i % services_.size()]; }

  void leave_time_wait_at_client(std::size_t i) {
    Connection connection = service(i).connect();
    close_client_first(connection);
  }

  /// From a port of its own: a second connection from the same port would end the first one's
  /// TIME-WAIT.
  void leave_time_wait_at_server(std::size_t i) {
    const Endpoint local("127.0.1.1", static_cast<std::uint16_t>(10'000 + i));
    FileDescriptor client = open_connected_from(local, service(i).endpoint());
    Connection connection{std::move(client), accept_from(service(i).listener())};
    close_server_first(connection);
  }

  std::vector<Service> services_;
};

TEST_F(LargeDump, IsCountedExactly) {
  const Samples samples = scrape({"sock_diag", "sockstat"});
  const auto role = [](const std::string& label) {
    return of_self("timewait_time_wait_sockets", "role=\"" + label + "\"");
  };
  EXPECT_TRUE(has_sockets(samples, {{{"ipv4", "time_wait"}, kTimeWaits}, {{"ipv4", "listen"}, 4}}));
  EXPECT_TRUE(has_value(samples, role("client"), kClientTimeWaits));
  EXPECT_TRUE(has_value(samples, role("server"), kServerTimeWaits));
  EXPECT_TRUE(has_value(samples, of_self("timewait_sockstat_tcp_time_wait"), kTimeWaits));
}

TEST_F(LargeDump, ComesInManyReceiveBuffersWithoutLossOrRepetition) {
  LiveKernel kernel("/proc", "/sys");
  std::size_t buffers = 0;
  std::vector<std::string> quadruplets;
  const auto dumped = kernel.dump_sockets(
      {SocketRequest::kBothFamilies, state_bit(TcpState::kTimeWait)},
      [&](const NetlinkBuffer& buffer) {
        ++buffers;
        return parse::parse_socket_dump(buffer, [&](const Socket& socket) {
          quadruplets.push_back(to_string(socket.local) + " " + std::to_string(socket.local_port) +
                                " " + to_string(socket.remote) + " " +
                                std::to_string(socket.remote_port));
        });
      });
  ASSERT_TRUE(dumped) << dumped.error().text();
  EXPECT_GT(buffers, 10U);
  EXPECT_EQ(quadruplets.size(), kTimeWaits);
  std::ranges::sort(quadruplets);
  EXPECT_EQ(std::ranges::adjacent_find(quadruplets), quadruplets.end());
}

}  // namespace
}  // namespace timewait::test
