#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/polling_exporter.h"
#include "tests/live/support/port_mix.h"
#include "tests/live/support/wait.h"

// Ports that are closed to every destination, or are not, for reasons that only a daemon can know
// which has seen what came before.

namespace timewait::test {
namespace {

constexpr std::uint16_t kServicePort = 80;
constexpr std::size_t kPorts = 20;
const PortRange kRange{40000, 40000 + kPorts - 1};
/// Nothing is connected from there.
const Tuple kOther{"127.0.0.77", "127.0.0.1", kServicePort};

double blocked(const Samples& samples, const std::string& evidence) {
  return value_of(samples,
                  of_self("timewait_ephemeral_ports_blocked", "evidence=\"" + evidence + "\""));
}
double blocked(const Samples& samples) {
  return blocked(samples, "observed") + blocked(samples, "inferred");
}

/// In a namespace with 20 ephemeral ports, of which connect() prefers the even ones.
class BlockedPorts : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    write_sysctl("net/ipv4/ip_local_port_range",
                 std::to_string(kRange.low) + " " + std::to_string(kRange.high));
    service_.emplace(ipv4_addressing(), ListenOptions{}, kServicePort);
  }

  const Service& service() const { return *service_; }

  /// The judge's connections stay in the service's queue: nothing may be accepted after it.
  static void expect_free_for_others(std::size_t count) {
    EXPECT_EQ(count_connects(kOther, kRange), count);
  }

 private:
  std::optional<Service> service_;
};

TEST_F(BlockedPorts, StayClosedByTheTimeWaitOfAnExplicitBind) {
  const PollingExporter exporter;
  Connection connection;
  connection.client = open_connected_from({"127.0.0.1", 40004}, service().endpoint());
  connection.server = accept_from(service().listener());
  wait_until("the daemon to see the explicit bind",
             [&] { return blocked(exporter.get(), "observed") == 1; });
  close_client_first(connection);
  wait_for_count(KernelState::kTimeWait, 1);
  exporter.wait_for_polls();
  EXPECT_EQ(blocked(exporter.get()), 1);
  expect_free_for_others(kPorts - 1);
}

TEST_F(BlockedPorts, StayClosedByConnectionsOfAListenerThatIsGone) {
  const PollingExporter exporter;
  std::optional<Service> inner(std::in_place, ipv4_addressing(), ListenOptions{}, 40006);
  const Connection connection = inner->connect();
  exporter.wait_for_polls();
  EXPECT_EQ(blocked(exporter.get(), "observed"), 1);
  inner.reset();
  exporter.wait_for_polls();
  const Samples samples = exporter.get();
  EXPECT_EQ(blocked(samples, "observed"), 0);
  EXPECT_EQ(blocked(samples, "inferred"), 1);
  expect_free_for_others(kPorts - 1);
}

TEST_F(BlockedPorts, AreOpenAgainAfterTheirLastSocket) {
  const PollingExporter exporter;
  {
    const FileDescriptor bound = open_connected_from({"127.0.0.1", 40004}, service().endpoint());
    const Connection accepted{FileDescriptor(), accept_from(service().listener())};
    const Service inner(ipv4_addressing(), {}, 40006);
    const Connection connection = inner.connect();
    wait_until("the daemon to see both", [&] { return blocked(exporter.get(), "observed") == 2; });
    reset_on_close(connection.client);
    reset_on_close(bound);
  }
  exporter.wait_for_polls();
  EXPECT_EQ(blocked(exporter.get()), 0);
  expect_free_for_others(kPorts);
}

TEST_F(BlockedPorts, StayClosedByBindWhenTheirDestinationIsExhausted) {
  constexpr std::size_t kBound = 3;
  const PollingExporter exporter;
  std::vector<Connection> connections;
  for (std::size_t i = 0; i < kBound; ++i) {
    connections.push_back({open_connected_from({"127.0.0.1", 0}, service().endpoint()),
                           accept_from(service().listener())});
  }
  wait_until("the daemon to infer them",
             [&] { return blocked(exporter.get(), "inferred") == kBound; });
  for (Connection& connection : service().connect(kPorts - kBound)) {
    connections.push_back(std::move(connection));
  }
  exporter.wait_for_polls();
  const Samples samples = exporter.get();
  EXPECT_EQ(blocked(samples), kBound)
      << "the other ports beyond the preferred half are connect()'s";
  EXPECT_TRUE(has_value(samples,
                        of_self("timewait_connect_ports_used",
                                Tuple{"127.0.0.1", "127.0.0.1", kServicePort}.labels()),
                        kPorts));
  expect_free_for_others(kPorts - kBound);
}

TEST_F(BlockedPorts, AreNotThoseThatConnectChoseBeyondThePreferredHalf) {
  const PollingExporter exporter;
  const Tuple tuple{"127.0.0.1", "127.0.0.1", kServicePort};
  auto connections = service().connect(15);
  exporter.wait_for_polls();
  const Samples full = scrape({"sock_diag"});
  EXPECT_EQ(blocked(full), 0);
  EXPECT_TRUE(has_value(full, of_self("timewait_connect_ports_used", tuple.labels()), 15));

  std::erase_if(connections, [](const Connection& connection) {
    reset_on_close(connection.client);
    return Endpoint::local_of(connection.client).port() % 2 == 0;
  });
  ASSERT_EQ(connections.size(), 5U);
  exporter.wait_for_polls();
  const Samples emptied = exporter.get();
  EXPECT_EQ(blocked(emptied), 0);
  EXPECT_TRUE(has_value(emptied, of_self("timewait_connect_ports_used", tuple.labels()), 5));
  expect_free_for_others(kPorts);
}

}  // namespace
}  // namespace timewait::test
