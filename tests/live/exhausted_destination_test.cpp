#include <sys/resource.h>

#include <algorithm>
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
#include "tests/live/support/port_mix.h"

// A destination to which connect() finds no port any more, beside another one to which it does.

namespace timewait::test {
namespace {

constexpr std::size_t kPorts = 1000;

void allow_descriptors(rlim_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("getrlimit");
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, count));
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("setrlimit");
}

/// In a namespace with a range of 1,000 ephemeral ports, to a destination whose ports are all in
/// use, in equal parts in four states.
class ExhaustedDestination : public NetworkNamespaceTest,
                             public ::testing::WithParamInterface<Addressing> {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    allow_descriptors(2048);
    write_sysctl("net/ipv4/ip_local_port_range", "40000 " + std::to_string(40000 + kPorts - 1));
    full_.emplace(GetParam(), ListenOptions{}, std::uint16_t{80});
    spare_.emplace(GetParam(), ListenOptions{}, std::uint16_t{81});
    beside_ = spare_->connect(3);
    exhaust();
  }

  static Tuple tuple_to(std::uint16_t port) {
    const std::string address =
        GetParam().family == "ipv4" ? "127.0.0.1" : GetParam().connect_address;
    return {address, address, port};
  }

  static std::string of_state(const std::string& state) {
    return of_self("timewait_connect_sockets", tuple_to(80).labels() + ",state=\"" + state + "\"");
  }

  const Service& full() const { return *full_; }
  const Service& spare() const { return *spare_; }

 private:
  void exhaust() {
    for (std::size_t i = 0; i < kPorts; ++i) {
      Connection connection = full_->connect();
      switch (i % 4) {
        case 0:
          close_client_first(connection);
          continue;
        case 1:
          shut_down_writing(connection.server);
          wait_for_state(connection.client, KernelState::kCloseWait);
          break;
        case 2:
          orphan_half_closed(connection);
          break;
        default:
          break;
      }
      connections_.push_back(std::move(connection));
    }
    wait_for_count(KernelState::kTimeWait, kPorts / 4);
  }

  std::optional<Service> full_;
  std::optional<Service> spare_;
  std::vector<Connection> beside_;
  std::vector<Connection> connections_;
};

INSTANTIATE_TEST_SUITE_P(, ExhaustedDestination, ::testing::ValuesIn(every_addressing()));

TEST_P(ExhaustedDestination, HasRatio1AndItsStatesWhileAnotherHasPortsLeft) {
  ASSERT_FALSE(try_connect(full().endpoint())) << "the kernel still found a port";
  const Samples samples = scrape({"sock_diag"});
  const auto series = [](const std::string& name, std::uint16_t port) {
    return of_self("timewait_connect_" + name, tuple_to(port).labels());
  };
  EXPECT_TRUE(has_value(samples, series("ports_used", 80), kPorts));
  EXPECT_TRUE(has_value(samples, series("ports_reusable", 80), 0));
  EXPECT_TRUE(has_value(samples, series("ports_usage_ratio", 80), 1));
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_ports_usage_ratio_max"), 1));
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_preferred_ports_usage_ratio_max"), 1));
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_tuples"), 2));
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_tuples_omitted"), 0));
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_sockets_omitted"), 0));

  for (const std::string state : {"time_wait", "close_wait", "fin_wait2", "established"}) {
    EXPECT_TRUE(has_value(samples, of_state(state), kPorts / 4));
  }
  EXPECT_TRUE(has_value(samples, of_state("syn_sent"), 0));
  EXPECT_TRUE(has_value(samples, of_state("other"), 0));

  EXPECT_LT(value_of(samples, series("ports_usage_ratio", 81)), 1);
  EXPECT_TRUE(try_connect(spare().endpoint()));
}

}  // namespace
}  // namespace timewait::test
