#include <arpa/inet.h>

#include <cstdint>

#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/listeners.h"
#include "collectors/model/socket_table.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;

constexpr Listeners::Time kNow{1h};

Address address(const char* text) {
  in6_addr bytes{};
  if (inet_pton(AF_INET, text, &bytes) == 1) return Address::from_ipv4(&bytes);
  EXPECT_EQ(inet_pton(AF_INET6, text, &bytes), 1) << text;
  return Address::from_ipv6(&bytes);
}

Socket listener(const char* local, std::uint16_t port,
                std::optional<bool> ipv6_only = std::nullopt) {
  Socket socket;
  socket.local = address(local);
  socket.local_port = port;
  socket.state = TcpState::kListen;
  socket.ipv6_only = ipv6_only;
  return socket;
}

Socket time_wait(std::uint16_t port, std::chrono::milliseconds left) {
  Socket socket;
  socket.local = address("192.0.2.1");
  socket.local_port = port;
  socket.state = TcpState::kTimeWait;
  socket.is_minisock = true;
  socket.expires_in = std::chrono::duration_cast<decltype(socket.expires_in)>(left);
  return socket;
}

TEST(Address, KnowsTheWildcards) {
  EXPECT_TRUE(address("0.0.0.0").is_any());
  EXPECT_TRUE(address("::").is_any());
  EXPECT_FALSE(address("::1").is_any());
  EXPECT_TRUE(address("::ffff:0.0.0.0").is_any()) << "mapped, so the IPv4 wildcard";
  EXPECT_NE(address("0.0.0.0"), address("::"));
  EXPECT_EQ(address("::ffff:192.0.2.1"), address("192.0.2.1"));
}

TEST(PortSet, HoldsEveryPort) {
  PortSet ports;
  ports.insert_range(65530, 65535);
  ports.insert(0);
  EXPECT_EQ(ports.size(), 7U);
  EXPECT_TRUE(ports.contains(0) && ports.contains(65535));
  EXPECT_FALSE(ports.contains(65529));
  PortSet all;
  all.insert_range(0, 65535);
  EXPECT_EQ((all - ports).size(), 65529U);
  EXPECT_EQ((all & ports), ports);
}

TEST(ComputeEphemeralPorts, TakesOutReservedPortsOfTheRangeAlone) {
  PortSet reserved;
  reserved.insert_range(1000, 1004);  // two of them below the range
  reserved.insert(5000);              // above
  const EphemeralPorts ports = compute_ephemeral_ports({1003, 1202}, reserved);
  EXPECT_EQ(ports.capacity.size(), 198U);
  EXPECT_EQ(ports.reserved, 2U);
  EXPECT_FALSE(ports.capacity.contains(1004));
}

TEST(Listeners, CoverTheirAddressAndPort) {
  Listeners listeners;
  listeners.see(listener("192.0.2.1", 80), kNow);
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 80));
  EXPECT_FALSE(listeners.covers(address("192.0.2.1"), 81));
  EXPECT_FALSE(listeners.covers(address("192.0.2.2"), 80));
}

TEST(Listeners, OnAWildcardCoverTheirFamily) {
  Listeners listeners;
  listeners.see(listener("0.0.0.0", 80), kNow);
  listeners.see(listener("::", 81, true), kNow);
  listeners.see(listener("::", 82, false), kNow);
  listeners.see(listener("::", 83), kNow);
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 80));
  EXPECT_FALSE(listeners.covers(address("2001:db8::1"), 80));
  EXPECT_TRUE(listeners.covers(address("2001:db8::1"), 81));
  EXPECT_FALSE(listeners.covers(address("192.0.2.1"), 81)) << "IPV6_V6ONLY is set";
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 82)) << "IPV6_V6ONLY is off";
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 83)) << "off is the default";
}

TEST(Listeners, AreRememberedForSixtySeconds) {
  Listeners listeners;
  listeners.see(listener("0.0.0.0", 80), kNow);
  listeners.see(listener("192.0.2.1", 81), kNow + 30s);
  listeners.forget_old(kNow + 60s);
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 80));
  listeners.forget_old(kNow + 61s);
  EXPECT_FALSE(listeners.covers(address("192.0.2.1"), 80));
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 81));
}

TEST(Listeners, SeenAgainLiveOn) {
  Listeners listeners;
  listeners.see(listener("0.0.0.0", 80), kNow);
  listeners.see(listener("0.0.0.0", 80), kNow + 50s);
  listeners.forget_old(kNow + 100s);
  EXPECT_TRUE(listeners.covers(address("192.0.2.1"), 80));
}

TEST(Listeners, AreBounded) {
  Listeners listeners;
  for (std::uint32_t i = 0; i <= Listeners::kMaxListeners; ++i) {
    Socket socket = listener("192.0.2.1", static_cast<std::uint16_t>(i & 0xffffU));
    const std::uint32_t host = htonl(0x0a000000U + (i >> 4U));
    socket.local = Address::from_ipv4(&host);
    listeners.see(socket, kNow);
  }
  const std::uint32_t last = htonl(0x0a000000U + (Listeners::kMaxListeners >> 4U));
  EXPECT_FALSE(listeners.covers(Address::from_ipv4(&last),
                                static_cast<std::uint16_t>(Listeners::kMaxListeners & 0xffffU)))
      << "one beyond the bound was remembered";
}

TEST(TimeWaitCounts, AreCumulativeAtTheirBounds) {
  TimeWaitCounts counts;
  for (const auto left : {0ms, 5000ms, 5001ms, 15000ms, 30000ms, 60000ms, 60001ms}) {
    counts.add(time_wait(40000, left), false);
  }
  ASSERT_TRUE(counts.expiring());
  EXPECT_THAT(*counts.expiring(), ::testing::ElementsAre(2, 4, 5, 6));
  EXPECT_EQ(counts.client(), 7U);
}

TEST(TimeWaitCounts, DoNotGuessATimeThatTheKernelDoesNotTell) {
  TimeWaitCounts counts;
  Socket without_timer = time_wait(40000, 0ms);
  without_timer.is_minisock = false;
  counts.add(without_timer, false);
  EXPECT_EQ(counts.client(), 1U);
  EXPECT_EQ(counts.expiring(), std::nullopt);
}

TEST(TimeWaitCounts, TellServerFromClient) {
  TimeWaitCounts counts;
  counts.add(time_wait(80, 1s), true);
  counts.add(time_wait(80, 1s), true);
  counts.add(time_wait(40000, 1s), false);
  EXPECT_EQ(counts.server(), 2U);
  EXPECT_EQ(counts.client(), 1U);
}

TEST(LocalPorts, TellListeningOnesFromOthers) {
  LocalPorts ports;
  ports.add(listener("0.0.0.0", 80));
  ports.add(time_wait(40000, 1s));
  EXPECT_EQ(ports.in_use().size(), 2U);
  EXPECT_EQ(ports.listening().size(), 1U);
  EXPECT_TRUE(ports.listening().contains(80));
}

}  // namespace
}  // namespace timewait
