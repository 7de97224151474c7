#include <chrono>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/port_mix.h"
#include "tests/live/support/wait.h"

// TIME-WAIT ports that connect() may take over, judged by a connect() that does or fails.

namespace timewait::test {
namespace {

constexpr const char* kReuse = "net/ipv4/tcp_tw_reuse";
constexpr const char* kReuseDelay = "net/ipv4/tcp_tw_reuse_delay";
constexpr std::uint16_t kServicePort = 80;
constexpr std::size_t kPorts = 20;
const PortRange kRange{40000, 40000 + kPorts - 1};

/// In a namespace with 20 ephemeral ports and further addresses on lo.
class ReusedPorts : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    write_sysctl("net/ipv4/ip_local_port_range",
                 std::to_string(kRange.low) + " " + std::to_string(kRange.high));
    add_address_to_loopback("10.0.0.1");
    add_address_to_loopback("fd00::1");
    service_.emplace(open_listener({"::", kServicePort}));
  }

  static Tuple tuple_to(const std::string& address) { return {address, address, kServicePort}; }

  Connection accept(std::optional<FileDescriptor> client) const {
    if (!client) throw std::runtime_error("no free port while the tuple was to be filled");
    return {*std::move(client), accept_from(*service_)};
  }

  /// TIME-WAIT sockets at the client's side whose port connect() chose.
  void leave_time_waits(const std::string& address, std::size_t count) {
    time_waits_ += count;
    while (count-- > 0) {
      Connection connection = accept(try_connect({address, kServicePort}));
      close_client_first(connection);
    }
    wait_for_count(KernelState::kTimeWait, time_waits_);
    last_at_ = std::chrono::steady_clock::now();
  }

  /// The same where bind() chose it.
  void leave_bound_time_waits(const std::string& address, std::size_t count) {
    time_waits_ += count;
    while (count-- > 0) {
      Connection connection = accept(open_connected_from({address, 0}, {address, kServicePort}));
      close_client_first(connection);
    }
    wait_for_count(KernelState::kTimeWait, time_waits_);
  }

  /// tcp_tw_reuse, and as short an age as this kernel lets one choose.
  static void set_reuse(int value) {
    if (has_sysctl(kReuseDelay)) write_sysctl(kReuseDelay, "50");
    write_sysctl(kReuse, std::to_string(value));
  }

  /// Until the kernel takes over all TIME-WAITs that it ever will.
  void wait_for_age() const {
    const std::chrono::milliseconds age(has_sysctl(kReuseDelay) ? 100 : 2100);
    wait_until("the TIME-WAITs to be old enough",
               [&] { return std::chrono::steady_clock::now() > last_at_ + age; });
  }

 private:
  std::optional<FileDescriptor> service_;
  std::size_t time_waits_ = 0;
  std::chrono::steady_clock::time_point last_at_;
};

struct TuplePorts {
  double used;
  double reusable;
};

void expect_ports(const Samples& samples, const Tuple& tuple, const TuplePorts& expected) {
  const auto series = [&](const std::string& name) { return of_self(name, tuple.labels()); };
  EXPECT_TRUE(has_value(samples, series("timewait_connect_ports_used"), expected.used));
  EXPECT_TRUE(has_value(samples, series("timewait_connect_ports_reusable"), expected.reusable));
  EXPECT_TRUE(has_value(samples, series("timewait_connect_ports_usage_ratio"),
                        expected.used / double{kPorts}));
}

double recycled() {
  return value_of(scrape({"netstat"}), of_self("timewait_netstat_tw_recycled_total"));
}

struct ReuseCase {
  std::string name;
  std::string address;  ///< of both ends
  int reuse;
  bool reuses;
};

std::ostream& operator<<(std::ostream& out, const ReuseCase& reuse_case) {
  return out << reuse_case.name;
}

class ReusedPortsOfAddress : public ReusedPorts, public ::testing::WithParamInterface<ReuseCase> {};

INSTANTIATE_TEST_SUITE_P(, ReusedPortsOfAddress,
                         ::testing::Values(ReuseCase{"ipv4_loopback_0", "127.0.0.1", 0, false},
                                           ReuseCase{"ipv4_loopback_1", "127.0.0.1", 1, true},
                                           ReuseCase{"ipv4_loopback_2", "127.0.0.1", 2, true},
                                           ReuseCase{"ipv6_loopback_0", "::1", 0, false},
                                           ReuseCase{"ipv6_loopback_1", "::1", 1, true},
                                           ReuseCase{"ipv6_loopback_2", "::1", 2, true},
                                           ReuseCase{"ipv4_other_0", "10.0.0.1", 0, false},
                                           ReuseCase{"ipv4_other_1", "10.0.0.1", 1, true},
                                           ReuseCase{"ipv4_other_2", "10.0.0.1", 2, false},
                                           ReuseCase{"ipv6_other_0", "fd00::1", 0, false},
                                           ReuseCase{"ipv6_other_1", "fd00::1", 1, true},
                                           ReuseCase{"ipv6_other_2", "fd00::1", 2, false}));

TEST_P(ReusedPortsOfAddress, AreAllOrNone) {
  const Tuple tuple = tuple_to(GetParam().address);
  leave_time_waits(GetParam().address, kPorts);
  set_reuse(GetParam().reuse);
  wait_for_age();
  const double before = recycled();
  const double reusable = GetParam().reuses ? kPorts : 0;
  expect_ports(scrape({"sock_diag"}, ""), tuple, {kPorts - reusable, reusable});

  EXPECT_EQ(count_connects(tuple, kRange), reusable);
  EXPECT_EQ(recycled() - before, reusable);
}

TEST_F(ReusedPorts, OfMappedSocketsFollowTheirIpv4Address) {
  leave_time_waits("::ffff:127.0.0.1", 4);
  leave_time_waits("::ffff:10.0.0.1", 5);
  set_reuse(2);
  wait_for_age();
  const Samples samples = scrape({"sock_diag"});
  expect_ports(samples, tuple_to("127.0.0.1"), {0, 4});
  expect_ports(samples, tuple_to("10.0.0.1"), {5, 0});
  EXPECT_EQ(count_connects(tuple_to("127.0.0.1"), kRange, Mapped::kYes), kPorts);
  EXPECT_EQ(count_connects(tuple_to("10.0.0.1"), kRange, Mapped::kYes), kPorts - 5);
}

TEST_F(ReusedPorts, AreNoneBeforeTheDelay) {
  if (!has_sysctl(kReuseDelay)) GTEST_SKIP() << "this kernel's delay is a second";
  write_sysctl(kReuseDelay, "60000");
  write_sysctl(kReuse, "1");
  leave_time_waits("127.0.0.1", kPorts);
  expect_ports(scrape({"sock_diag"}), tuple_to("127.0.0.1"), {kPorts, 0});
  EXPECT_EQ(count_connects(tuple_to("127.0.0.1"), kRange), 0U);
}

TEST_F(ReusedPorts, AreNoneWithoutTimestamps) {
  write_sysctl("net/ipv4/tcp_timestamps", "0");
  leave_time_waits("127.0.0.1", kPorts);
  set_reuse(1);
  wait_for_age();
  expect_ports(scrape({"sock_diag"}), tuple_to("127.0.0.1"), {kPorts, 0});
  EXPECT_EQ(count_connects(tuple_to("127.0.0.1"), kRange), 0U);
}

TEST_F(ReusedPorts, AreNoneOfFinWait2Minisocks) {
  std::vector<Connection> half_closed;
  for (int i = 0; i < 7; ++i) {
    half_closed.push_back(accept(try_connect({"127.0.0.1", kServicePort})));
    orphan_half_closed(half_closed.back());
  }
  leave_time_waits("127.0.0.1", kPorts - half_closed.size());
  set_reuse(1);
  wait_for_age();
  expect_ports(scrape({"sock_diag"}), tuple_to("127.0.0.1"), {7, kPorts - 7});
  EXPECT_EQ(count_connects(tuple_to("127.0.0.1"), kRange), kPorts - 7);
}

TEST_F(ReusedPorts, AreNoneThatBindHasChosen) {
  leave_bound_time_waits("127.0.0.1", 6);
  leave_time_waits("127.0.0.1", 5);
  set_reuse(1);
  wait_for_age();
  expect_ports(scrape({"sock_diag"}), tuple_to("127.0.0.1"), {6, 5});
  EXPECT_EQ(count_connects(tuple_to("127.0.0.1"), kRange), kPorts - 6);
}

}  // namespace
}  // namespace timewait::test
