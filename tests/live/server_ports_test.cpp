#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/polling_exporter.h"
#include "tests/live/support/wait.h"

// Quadruplets between a listener's port and each remote address.

namespace timewait::test {
namespace {

constexpr std::uint16_t kPort = 8000;
constexpr std::string_view kAssume100 =
    "collectors:\n  sock_diag:\n    server_assumed_remote_ports: 100\n";

std::string pair_of(const std::string& local, const std::string& remote) {
  return "local_address=\"" + local + "\",local_port=\"" + std::to_string(kPort) +
         "\",remote_address=\"" + remote + "\"";
}

struct ExpectedPorts {
  double used;
  double ratio;
};

void expect_ports(const Samples& samples, const std::string& pair, const ExpectedPorts& expected) {
  EXPECT_TRUE(
      has_value(samples, of_self("timewait_server_remote_ports_used", pair), expected.used));
  EXPECT_TRUE(has_value(samples, of_self("timewait_server_remote_ports_usage_ratio", pair),
                        expected.ratio));
}

/// All other states are to be 0.
void expect_states(const Samples& samples, const std::string& pair,
                   std::map<std::string, double> expected) {
  for (const std::string state :
       {"time_wait", "fin_wait2", "established", "syn_sent", "close_wait", "other"}) {
    const std::string labels = pair + ",state=\"" + state + "\"";
    EXPECT_TRUE(has_value(samples, of_self("timewait_server_sockets", labels), expected[state]));
  }
}

class ServerPorts : public NetworkNamespaceTest {
 protected:
  /// `remote` as the client binds to it.
  static Connection connect(const FileDescriptor& listener, const std::string& remote,
                            const std::string& local) {
    auto client = try_connect_from(remote, {local, kPort});
    if (!client) throw std::runtime_error("no free port");
    return {*std::move(client), accept_from(listener)};
  }

  void hold(Connection connection) { held_.push_back(std::move(connection)); }

 private:
  std::vector<Connection> held_;
};

TEST_F(ServerPorts, AreCountedForEachRemoteAddressByState) {
  const FileDescriptor listener = open_listener({"0.0.0.0", kPort});
  const auto connect_from = [&](const std::string& remote) {
    return connect(listener, remote, "127.0.0.1");
  };
  for (int i = 0; i < 7; ++i) {
    Connection connection = connect_from("127.0.0.2");
    close_server_first(connection);
  }
  wait_for_count(KernelState::kTimeWait, 7);
  for (int i = 0; i < 3; ++i) hold(connect_from("127.0.0.2"));
  for (int i = 0; i < 2; ++i) {
    Connection connection = connect_from("127.0.0.2");
    half_close(connection);
    hold(std::move(connection));
  }
  Connection server_closed = connect_from("127.0.0.3");
  shut_down_writing(server_closed.server);
  wait_for_state(server_closed.server, KernelState::kFinWait2);
  hold(std::move(server_closed));
  Connection closing = connect_from("127.0.0.3");
  hold_in_closing(closing);
  hold(std::move(closing));

  const Samples samples = scrape({"sock_diag"}, kAssume100);
  const std::string second = pair_of("127.0.0.1", "127.0.0.2");
  const std::string third = pair_of("127.0.0.1", "127.0.0.3");
  expect_ports(samples, second, {12, 0.12});
  expect_states(samples, second, {{"time_wait", 7}, {"established", 3}, {"close_wait", 2}});
  expect_ports(samples, third, {2, 0.02});
  expect_states(samples, third, {{"fin_wait2", 2}});
  EXPECT_TRUE(has_value(samples, of_self("timewait_server_remote_ports_usage_ratio_max"), 0.12));
  EXPECT_EQ(samples.count("timewait_server_remote_ports_used{"), 2U);
}

TEST_F(ServerPorts, AreToldApartByLocalAddressAndFamily) {
  const FileDescriptor listener = open_listener({"::", kPort});
  hold(connect(listener, "127.0.0.2", "127.0.0.1"));
  hold(connect(listener, "::ffff:127.0.0.2", "::ffff:127.0.0.1"));
  hold(connect(listener, "127.0.0.2", "127.0.0.9"));
  for (int i = 0; i < 4; ++i) hold(connect(listener, "::1", "::1"));

  const Samples samples = scrape({"sock_diag"}, kAssume100);
  expect_ports(samples, pair_of("127.0.0.1", "127.0.0.2"), {2, 0.02});
  expect_ports(samples, pair_of("127.0.0.9", "127.0.0.2"), {1, 0.01});
  expect_ports(samples, pair_of("::1", "::1"), {4, 0.04});
  EXPECT_EQ(samples.count("timewait_server_remote_ports_used{"), 3U);
}

TEST_F(ServerPorts, AreNoneOfTheConnectSide) {
  const FileDescriptor listener = open_listener({"127.0.0.1", kPort});
  for (int i = 0; i < 2; ++i) hold(connect(listener, "127.0.0.2", "127.0.0.1"));
  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_tuples"), 1));
  EXPECT_EQ(samples.count("timewait_connect_ports_used{"), 1U);
  EXPECT_TRUE(has_value(samples,
                        of_self("timewait_connect_sockets",
                                "local_address=\"127.0.0.2\",remote_address=\"127.0.0.1\","
                                "remote_port=\"8000\",state=\"established\""),
                        2));
}

TEST_F(ServerPorts, AreRememberedAfterTheirListener) {
  const PollingExporter exporter("server_assumed_remote_ports: 100");
  std::optional<FileDescriptor> listener = open_listener({"127.0.0.1", kPort});
  for (int i = 0; i < 5; ++i) {
    Connection connection = connect(*listener, "127.0.0.2", "127.0.0.1");
    close_server_first(connection);
  }
  wait_for_count(KernelState::kTimeWait, 5);
  exporter.wait_for_polls();
  listener.reset();
  exporter.wait_for_polls();
  const Samples samples = exporter.get();
  expect_ports(samples, pair_of("127.0.0.1", "127.0.0.2"), {5, 0.05});
  expect_states(samples, pair_of("127.0.0.1", "127.0.0.2"), {{"time_wait", 5}});
}

}  // namespace
}  // namespace timewait::test
