#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/wait.h"

// Counters before and after an event that is known to move them. A namespace of its own has no
// other traffic, so every difference is exact.

namespace timewait::test {
namespace {

std::string counter(const std::string& name) {
  return of_self("timewait_netstat_" + name + "_total");
}

/// A counter of TcpExt, by the kernel's word: a line of names, a line of values.
std::uint64_t read_tcp_ext(const std::string& name) {
  std::ifstream file("/proc/net/netstat");
  std::string names;
  std::string values;
  while (std::getline(file, names) && std::getline(file, values) && !names.starts_with("TcpExt:")) {
  }
  std::istringstream name_words(names);
  std::istringstream value_words(values);
  std::string found;
  std::string value;
  while (name_words >> found && value_words >> value) {
    if (found == name) return std::stoull(value);
  }
  throw std::runtime_error("no TcpExt " + name);
}

/// What the counters show of an event that comes between two scrapes.
class Counters : public NetworkNamespaceTest {
 protected:
  template <class Event>
  void watch(Event event) {
    before_ = scrape({"netstat"});
    event();
    after_ = scrape({"netstat"});
  }

  double rise(const std::string& name) const {
    return value_of(after_, counter(name)) - value_of(before_, counter(name));
  }
  const Samples& after() const { return after_; }

 private:
  Samples before_{std::string()};
  Samples after_{std::string()};
};

TEST_F(Counters, ShowTimeWaitAndFinWait2MinisocksAsTheyEnter) {
  const Service service(ipv4_addressing());
  auto connections = service.connect(7);
  watch([&] {
    for (std::size_t i = 0; i < 3; ++i) close_client_first(connections[i]);
    for (std::size_t i = 3; i < 5; ++i) close_server_first(connections[i]);
    orphan_half_closed(connections[5]);
    half_close(connections[6]);
    wait_for_count(KernelState::kTimeWait, 5);
  });
  EXPECT_EQ(rise("tw"), 5 + 1);
  EXPECT_EQ(rise("tw_killed"), 0);
  EXPECT_EQ(rise("tw_recycled"), 0);
}

TEST_F(Counters, ShowShortFinWait2MinisocksAsKilledOnes) {
  write_sysctl("net/ipv4/tcp_fin_timeout", "3");
  const Service service(ipv4_addressing());
  auto connections = service.connect(2);
  watch([&] {
    for (Connection& connection : connections) orphan_half_closed(connection);
  });
  EXPECT_EQ(rise("tw_killed"), 2);
  EXPECT_EQ(rise("tw"), 0);
}

TEST_F(Counters, ShowOneRecycledSocketWhereConnectTakesOverATimeWait) {
  write_sysctl("net/ipv4/ip_local_port_range", "40000 40000");
  write_sysctl("net/ipv4/tcp_tw_reuse", "1");
  if (has_sysctl("net/ipv4/tcp_tw_reuse_delay")) write_sysctl("net/ipv4/tcp_tw_reuse_delay", "1");
  const Service service(ipv4_addressing(), {}, 30000);
  Connection first = service.connect();
  close_client_first(first);
  wait_for_count(KernelState::kTimeWait, 1);

  std::optional<FileDescriptor> second;
  watch([&] {
    wait_until("the TIME-WAIT socket to be old enough to be taken over", [&] {
      second = try_connect(service.endpoint());
      return second.has_value();
    });
  });
  EXPECT_EQ(count_in_proc(KernelState::kTimeWait), 0U);
  EXPECT_EQ(rise("tw_recycled"), 1);
  EXPECT_EQ(rise("active_opens"), 1);
}

TEST_F(Counters, ShowNothingWhereConnectFindsNoPort) {
  write_sysctl("net/ipv4/ip_local_port_range", "40000 40000");
  const Service service(ipv4_addressing(), {}, 30000);
  Connection first = service.connect();
  close_client_first(first);
  wait_for_count(KernelState::kTimeWait, 1);
  watch([&] { ASSERT_FALSE(try_connect(service.endpoint())); });
  EXPECT_EQ(rise("tw_recycled"), 0);
  EXPECT_EQ(rise("active_opens"), 0);
  EXPECT_EQ(rise("attempt_fails"), 0);
}

TEST_F(Counters, ShowClosesBeyondTheLimitOfTimeWaitSockets) {
  write_sysctl("net/ipv4/tcp_max_tw_buckets", "2");
  const Service service(ipv4_addressing());
  auto connections = service.connect(5);
  watch([&] {
    for (Connection& connection : connections) close_client_first(connection);
    wait_for_count(KernelState::kLastAck, 0);
  });
  EXPECT_EQ(count_in_proc(KernelState::kTimeWait), 2U);
  EXPECT_EQ(rise("tw"), 2);
  EXPECT_EQ(rise("tcp_time_wait_overflow"), 3);
}

TEST_F(Counters, ShowAConnectionDroppedAtAFullAcceptQueue) {
  const Service service(ipv4_addressing(), {.backlog = 0});
  const FileDescriptor queued = fill_accept_queue(service);
  watch([&] {
    // Closed before its first retransmission, a second later, this is one SYN.
    const FileDescriptor refused = begin_connect(service.endpoint());
    wait_until("the SYN to be dropped", [] { return read_tcp_ext("ListenOverflows") > 0; });
  });
  EXPECT_EQ(rise("listen_overflows"), 1);
  EXPECT_EQ(rise("listen_drops"), 1);
}

TEST_F(Counters, ShowOpenedAndResetConnections) {
  const Service service(ipv6_addressing());
  std::vector<Connection> connections;
  watch([&] {
    connections = service.connect(4);
    reset_on_close(connections[0].client);
    connections[0].client = FileDescriptor();
    wait_for_state(connections[0].server, KernelState::kClose);
  });
  EXPECT_EQ(rise("active_opens"), 4);
  EXPECT_EQ(rise("passive_opens"), 4);
  EXPECT_EQ(rise("tw"), 0);
  EXPECT_EQ(rise("estab_resets"), 2) << "one for each end";
  EXPECT_EQ(rise("out_rsts"), 1);
  EXPECT_TRUE(has_value(after(), of_self("timewait_netstat_curr_estab"), 6));
}

TEST_F(Counters, ShowAFailedAttemptWhereNobodyListens) {
  const FileDescriptor idle = open_bound({"127.0.0.1", 5000});
  watch([&] { EXPECT_THROW(open_connected({"127.0.0.1", 5000}), std::system_error); });
  EXPECT_EQ(rise("attempt_fails"), 1);
  EXPECT_EQ(rise("out_rsts"), 1);
}

TEST_F(Counters, AreThoseOfTheNamespaceNotOfTheHost) {
  const Samples samples = scrape({"netstat", "sockstat"});
  for (const std::string name : {"tw", "active_opens", "passive_opens", "out_rsts"}) {
    EXPECT_TRUE(has_value(samples, counter(name), 0));
  }
  EXPECT_TRUE(has_value(samples, of_self("timewait_sockstat_tcp_in_use"), 0));
}

TEST_F(Counters, OfSockstatCountFullSocketsByFamily) {
  const Service ipv4(ipv4_addressing());
  const Service ipv6(ipv6_addressing());
  const auto ipv4_connections = ipv4.connect(2);
  auto ipv6_connections = ipv6.connect(3);
  close_client_first(ipv6_connections[0]);
  wait_for_count(KernelState::kTimeWait, 1);
  const Samples samples = scrape({"sockstat"});
  EXPECT_TRUE(has_value(samples, of_self("timewait_sockstat_tcp_in_use"), 5));
  EXPECT_TRUE(has_value(samples, of_self("timewait_sockstat_tcp6_in_use"), 5));
  EXPECT_TRUE(has_value(samples, of_self("timewait_sockstat_tcp_time_wait"), 1));
}

}  // namespace
}  // namespace timewait::test
