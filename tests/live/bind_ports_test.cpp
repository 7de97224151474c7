#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/port_mix.h"
#include "tests/live/support/random_port_mixes.h"

// What the exporter says of the ports that are left to bind(address, port 0), and what the kernel
// gives when it is asked until it refuses.

namespace timewait::test {
namespace {

std::string of_address(const std::string& name, const std::string& address) {
  return of_self(name, "local_address=\"" + address + "\"");
}

/// An address that no socket has has no series. Gives false for it.
bool judge_binds(const PortMix& mix, const Samples& samples, const std::string& address) {
  SCOPED_TRACE(address);
  const auto used = samples.find(of_address("timewait_bind_ports_used", address));
  if (!used) return false;
  const auto capacity = static_cast<double>(mix.capacity());
  EXPECT_TRUE(
      has_value(samples, of_address("timewait_bind_ports_usage_ratio", address), *used / capacity));

  const auto succeeded = static_cast<double>(count_binds(address, mix.range()));
  const double error = capacity - *used - succeeded;
  std::cout << "; " << address << " " << succeeded << " free, error " << error;
  if (address == "0.0.0.0") {
    EXPECT_LE(error, 0) << "the figure may be cautious, not bold";
    EXPECT_LE(-error, static_cast<double>(mix.ambiguous_to_ipv4_wildcard()));
  } else {
    EXPECT_EQ(error, 0) << capacity << " ports, of which " << *used << " are to be used";
  }
  return true;
}

double highest_ratio(const Samples& samples) {
  double highest = 0;
  for (const auto& [series, value] : samples.all()) {
    if (series.starts_with("timewait_bind_ports_usage_ratio{")) highest = std::max(highest, value);
  }
  return highest;
}

using BindPorts = RandomPortMixes;

TEST_F(BindPorts, AreThoseThatTheKernelFindsInRandomMixes) {
  judge_mixes([](const PortMix& mix) {
    const Samples samples = scrape({"sock_diag"}, kShowAll);
    EXPECT_TRUE(
        has_value(samples, of_self("timewait_bind_ports_usage_ratio_max"), highest_ratio(samples)));
    std::size_t judged = 0;
    for (const std::string& address : PortMix::local_addresses()) {
      if (judge_binds(mix, samples, address)) ++judged;
    }
    EXPECT_GE(judged, 3U) << "0.0.0.0, :: and the addresses of the mix's sockets";
  });
}

/// In a namespace with a range of 100 ephemeral ports.
class ExhaustedBindPorts : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    write_sysctl("net/ipv4/ip_local_port_range", "40000 40099");
  }
};

TEST_F(ExhaustedBindPorts, AreOneAddressesAlone) {
  const Service service(ipv4_addressing(), {}, 80);
  std::vector<FileDescriptor> clients;
  clients.push_back(open_connected_from({"127.0.0.2", 0}, service.endpoint()));
  while (auto client = try_bind({"127.0.0.1", 0})) {
    ASSERT_TRUE(try_connect_bound(*client, service.endpoint()));
    clients.push_back(*std::move(client));
  }
  ASSERT_EQ(clients.size(), 101U);

  const Samples samples = scrape({"sock_diag"});
  EXPECT_TRUE(has_value(samples, of_address("timewait_bind_ports_used", "127.0.0.1"), 100));
  EXPECT_TRUE(has_value(samples, of_address("timewait_bind_ports_usage_ratio", "127.0.0.1"), 1));
  EXPECT_TRUE(has_value(samples, of_address("timewait_bind_ports_usage_ratio", "0.0.0.0"), 1));
  EXPECT_TRUE(has_value(samples, of_self("timewait_bind_ports_usage_ratio_max"), 1));
  EXPECT_FALSE(try_bind({"0.0.0.0", 0}));

  EXPECT_TRUE(has_value(samples, of_address("timewait_bind_ports_used", "127.0.0.2"), 1));
  EXPECT_TRUE(has_value(samples, of_address("timewait_bind_ports_usage_ratio", "127.0.0.2"), 0.01));
  EXPECT_TRUE(try_bind({"127.0.0.2", 0}));
}

}  // namespace
}  // namespace timewait::test
