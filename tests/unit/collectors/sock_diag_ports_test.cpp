// What the collector sock_diag says of ports, from the dump's bytes to the series.

#include <algorithm>

#include "collectors/socket_reader.h"
#include "tests/support/memory_kernel.h"
#include "tests/support/run_collector.h"
#include "tests/support/socket_message.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::MemoryKernel;
using test::Polled;
using test::socket_message;
using test::SocketSpec;
using test::time_wait;
using ::testing::HasSubstr;

constexpr SteadyTime kNow{1h};

/// Ten ports, the even ones preferred.
void add_sysctls(MemoryKernel& kernel) {
  kernel.proc["sys/kernel/osrelease"] = "6.18.44\n";
  kernel.proc["sys/net/ipv4/ip_local_port_range"] = "40000\t40009\n";
  kernel.proc["sys/net/ipv4/ip_local_reserved_ports"] = "\n";
  kernel.proc["sys/net/ipv4/tcp_tw_reuse"] = "1\n";
  kernel.proc["sys/net/ipv4/tcp_timestamps"] = "1\n";
  kernel.proc["sys/net/ipv4/tcp_tw_reuse_delay"] = "1000\n";
}

SocketSpec client(std::uint16_t port, std::uint16_t remote_port = 80, std::uint8_t state = 1) {
  return {.local = "192.0.2.1",
          .local_port = port,
          .remote = "198.51.100.7",
          .remote_port = remote_port,
          .state = state};
}

std::optional<double> of_tuple(const Polled& polled, const std::string& name,
                               const std::string& more = "", unsigned remote_port = 80) {
  return polled.samples.find(name +
                             "{netns=\"self\",local_address=\"192.0.2.1\",remote_address=\"198.51."
                             "100.7\",remote_port=\"" +
                             std::to_string(remote_port) + "\"" + more + "}");
}

std::optional<double> of_netns(const Polled& polled, const std::string& name) {
  return polled.samples.find(name + "{netns=\"self\"}");
}

std::optional<double> blocked(const Polled& polled, const std::string& evidence) {
  return polled.samples.find("timewait_ephemeral_ports_blocked{netns=\"self\",evidence=\"" +
                             evidence + "\"}");
}

Polled poll_once(MemoryKernel& kernel, const std::string& options = "") {
  return test::poll(*test::make_collector("sock_diag", kernel, options), kNow);
}

TEST(SockDiagPorts, TellOfATupleWhatItUses) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = socket_message({.local = "0.0.0.0", .local_port = 40001, .state = 10}) +
                   socket_message(client(40000)) + socket_message(client(40002, 80, 8)) +
                   socket_message(time_wait(client(40004), 59'500)) +
                   socket_message(time_wait(client(40006), 30'000)) +
                   socket_message(client(40003, 81));
  const auto polled = poll_once(kernel);
  ASSERT_TRUE(polled.result) << polled.result.error().text();
  EXPECT_TRUE(polled.errors.empty());
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used"), 5)
      << "three of its own, the listener's and the one that was bound to port 0";
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_reusable"), 1);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_usage_ratio"), 0.5);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_sockets", ",state=\"time_wait\""), 2);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_sockets", ",state=\"close_wait\""), 1);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_sockets", ",state=\"syn_sent\""), 0);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used", "", 81), 2);
  EXPECT_EQ(blocked(polled, "inferred"), 1);
  EXPECT_EQ(of_netns(polled, "timewait_connect_ports_usage_ratio_max"), 0.5);
  EXPECT_EQ(of_netns(polled, "timewait_connect_preferred_ports_usage_ratio_max"), 0.6);
  EXPECT_EQ(of_netns(polled, "timewait_connect_tuples"), 2);
  EXPECT_EQ(of_netns(polled, "timewait_connect_tuples_omitted"), 0);
  EXPECT_EQ(of_netns(polled, "timewait_connect_sockets_omitted"), 0);
  EXPECT_EQ(of_netns(polled, "timewait_connect_sockets_error_bound"), 0);
}

TEST(SockDiagPorts, BindAndServerHaveTheirFamilies) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets =
      socket_message({.local = "0.0.0.0", .local_port = 443, .state = 10}) +
      socket_message(
          {.local = "192.0.2.1", .local_port = 443, .remote = "203.0.113.5", .remote_port = 5000}) +
      socket_message(time_wait({.local = "::ffff:192.0.2.1",
                                .local_port = 443,
                                .remote = "::ffff:203.0.113.5",
                                .remote_port = 5001})) +
      socket_message(client(40000));
  const auto polled = poll_once(kernel, "server_assumed_remote_ports: 4");
  const std::string tuple =
      "{netns=\"self\",local_address=\"192.0.2.1\",local_port=\"443\",remote_address=\"203.0.113."
      "5\"";
  EXPECT_EQ(polled.samples.find("timewait_server_remote_ports_used" + tuple + "}"), 2);
  EXPECT_EQ(polled.samples.find("timewait_server_remote_ports_usage_ratio" + tuple + "}"), 0.5);
  EXPECT_EQ(polled.samples.find("timewait_server_sockets" + tuple + ",state=\"established\"}"), 1);
  EXPECT_EQ(of_netns(polled, "timewait_server_remote_ports_usage_ratio_max"), 0.5);
  EXPECT_EQ(of_netns(polled, "timewait_server_tuples"), 1);
  EXPECT_EQ(of_netns(polled, "timewait_connect_tuples"), 1) << "the server's are not here";
  EXPECT_EQ(
      polled.samples.find("timewait_bind_ports_used{netns=\"self\",local_address=\"192.0.2.1\"}"),
      1);
  EXPECT_EQ(polled.samples.find(
                "timewait_bind_ports_usage_ratio{netns=\"self\",local_address=\"0.0.0.0\"}"),
            0.1);
  EXPECT_EQ(of_netns(polled, "timewait_bind_local_addresses"), 2);
}

TEST(SockDiagPorts, WithoutSocketsEveryMaximumIsZero) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  const auto polled = poll_once(kernel);
  for (const char* name :
       {"timewait_connect_ports_usage_ratio_max",
        "timewait_connect_preferred_ports_usage_ratio_max", "timewait_bind_ports_usage_ratio_max",
        "timewait_server_remote_ports_usage_ratio_max", "timewait_connect_tuples",
        "timewait_bind_local_addresses", "timewait_server_tuples",
        "timewait_connect_tuples_omitted", "timewait_bind_local_addresses_omitted",
        "timewait_server_tuples_omitted", "timewait_connect_sockets_omitted",
        "timewait_server_sockets_omitted"}) {
    EXPECT_EQ(of_netns(polled, name), 0) << name;
  }
  EXPECT_EQ(polled.samples.count("timewait_connect_ports_used"), 0U);
}

TEST(SockDiagPorts, ReusableFollowsLoopbackByDevice) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/net/ipv4/tcp_tw_reuse"] = "2\n";
  SocketSpec bound = time_wait(client(40000), 1000);
  bound.device = 1;
  kernel.sockets = socket_message(bound) + socket_message(time_wait(client(40002), 1000));
  const auto polled = poll_once(kernel);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_reusable"), 1);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used"), 1);
}

TEST(SockDiagPorts, ReusableIsAbsentWithoutItsSysctls) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc.erase("sys/net/ipv4/tcp_tw_reuse");
  kernel.sockets = socket_message(time_wait(client(40000), 1000));
  const auto polled = poll_once(kernel);
  EXPECT_TRUE(polled.errors.empty()) << "such a kernel is no failure";
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_reusable"), std::nullopt);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used"), 1);
}

TEST(SockDiagPorts, AMalformedSysctlIsReportedAndTheRestStands) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/net/ipv4/tcp_tw_reuse"] = "maybe\n";
  kernel.sockets = socket_message(time_wait(client(40000), 1000));
  const auto polled = poll_once(kernel);
  ASSERT_TRUE(polled.result);
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.errors[0].source, "/proc/sys/net/ipv4/tcp_tw_reuse");
  EXPECT_EQ(polled.samples.count("timewait_connect_"), 0U) << "what can be used depends on it";
  EXPECT_EQ(polled.samples.find("timewait_bind_buckets{netns=\"self\"}"), 1);
}

TEST(SockDiagPorts, WithoutARangeTheServerSideStands) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/net/ipv4/ip_local_reserved_ports"] = "x\n";
  kernel.sockets = socket_message({.local = "0.0.0.0", .local_port = 443, .state = 10}) +
                   socket_message({.local_port = 443, .remote = "203.0.113.5", .remote_port = 9}) +
                   socket_message(client(40000));
  const auto collector = test::make_collector("sock_diag", kernel);
  auto polled = test::poll(*collector, kNow);
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.samples.count("timewait_connect_"), 0U);
  EXPECT_EQ(polled.samples.count("timewait_bind_ports_"), 0U);
  EXPECT_EQ(of_netns(polled, "timewait_server_tuples"), 1);

  kernel.proc["sys/net/ipv4/ip_local_reserved_ports"] = "\n";
  polled = test::poll(*collector, kNow + 1s);
  EXPECT_TRUE(polled.errors.empty());
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used"), 1);
}

TEST(SockDiagPorts, AKernelBefore46HasNoHalves) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/kernel/osrelease"] = "4.5.7\n";
  kernel.sockets = socket_message(client(40001));
  EXPECT_EQ(of_netns(poll_once(kernel), "timewait_connect_preferred_ports_usage_ratio_max"),
            std::nullopt);
  kernel.proc["sys/kernel/osrelease"] = "4.6.0\n";
  const auto polled = poll_once(kernel);
  EXPECT_EQ(of_netns(polled, "timewait_connect_preferred_ports_usage_ratio_max"), 0);
  EXPECT_EQ(blocked(polled, "inferred"), 1);
}

TEST(SockDiagPorts, NoCapacityIsFullUsage) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/net/ipv4/ip_local_reserved_ports"] = "1-65535\n";
  kernel.sockets = socket_message(client(40000));
  const auto polled = poll_once(kernel);
  EXPECT_EQ(of_netns(polled, "timewait_ephemeral_ports"), 0);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used"), 0);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_usage_ratio"), 1);
  EXPECT_EQ(of_netns(polled, "timewait_bind_ports_usage_ratio_max"), 1);
  EXPECT_EQ(of_netns(polled, "timewait_connect_preferred_ports_usage_ratio_max"), std::nullopt);
}

TEST(SockDiagPorts, ExplicitBindsAreObserved) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.explicit_binds = socket_message(client(40004));
  kernel.sockets = socket_message(client(40004)) + socket_message(client(40000, 81));
  const auto collector = test::make_collector("sock_diag", kernel);
  const auto polled = test::poll(*collector, kNow);
  EXPECT_EQ(blocked(polled, "observed"), 1);
  EXPECT_EQ(of_tuple(polled, "timewait_connect_ports_used", "", 81), 2);
  kernel.explicit_binds = "";
  kernel.sockets = socket_message(time_wait(client(40004), 30'000));
  EXPECT_EQ(blocked(test::poll(*collector, kNow + 1s), "observed"), 1)
      << "its TIME-WAIT holds the port";
  kernel.sockets = "";
  EXPECT_EQ(blocked(test::poll(*collector, kNow + 2s), "observed"), 0);
}

// Bounds.

std::string tuples(std::uint16_t count) {
  std::string sockets;
  for (std::uint16_t i = 0; i < count; ++i) {
    sockets += socket_message(client(40000, static_cast<std::uint16_t>(100 + i)));
  }
  return sockets + socket_message(client(40002, 100));
}

TEST(SockDiagPorts, TopBoundsTheSeriesOfEachKind) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = tuples(30) + socket_message({.local_port = 443, .state = 10}) +
                   socket_message({.local_port = 443, .remote = "127.0.0.2", .remote_port = 9});
  const auto by_default = poll_once(kernel);
  EXPECT_EQ(by_default.samples.count("timewait_connect_ports_used{"), 20U);
  EXPECT_EQ(of_netns(by_default, "timewait_connect_tuples_omitted"), 10);

  const auto one = poll_once(kernel, "top: 1");
  EXPECT_EQ(one.samples.count("timewait_connect_ports_used{"), 1U);
  EXPECT_EQ(of_tuple(one, "timewait_connect_ports_used", "", 100), 2) << "the highest";
  EXPECT_EQ(of_netns(one, "timewait_connect_tuples_omitted"), 29);
  EXPECT_EQ(of_netns(one, "timewait_connect_sockets_omitted"), 29);

  const auto none = poll_once(kernel, "top: 0");
  for (const char* prefix :
       {"timewait_connect_ports_used{", "timewait_connect_ports_usage_ratio{",
        "timewait_connect_sockets{", "timewait_bind_ports_used{", "timewait_server_sockets{"}) {
    EXPECT_EQ(none.samples.count(prefix), 0U) << prefix;
  }
  EXPECT_EQ(of_netns(none, "timewait_connect_ports_usage_ratio_max"), 0.2);
  EXPECT_EQ(of_netns(none, "timewait_connect_tuples_omitted"), 30);
  EXPECT_EQ(of_netns(none, "timewait_connect_sockets_omitted"), 31);
  EXPECT_EQ(of_netns(none, "timewait_bind_local_addresses_omitted"), 3);
  EXPECT_EQ(of_netns(none, "timewait_server_tuples_omitted"), 1);
  EXPECT_EQ(of_netns(none, "timewait_server_sockets_omitted"), 1);
}

TEST(SockDiagPorts, BeyondMaxTuplesTheErrorIsSaid) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = tuples(30);
  const auto polled = poll_once(kernel, "top: 1000, max_tuples: 4");
  EXPECT_EQ(polled.samples.count("timewait_connect_ports_used{"), 4U);
  EXPECT_EQ(of_netns(polled, "timewait_connect_sockets_error_bound"), 7);
  EXPECT_NEAR(of_netns(polled, "timewait_connect_tuples").value_or(-1), 30, 2);
  EXPECT_NEAR(of_netns(polled, "timewait_connect_tuples_omitted").value_or(-1), 26, 2);
}

TEST(SockDiagPorts, OptionsHaveBounds) {
  const auto message = [](const std::string& options) -> std::string {
    MemoryKernel kernel;
    config::Problems problems;
    test::make_collector("sock_diag", kernel, options, &problems);
    return problems.size() == 1 ? problems[0].message
                                : "problems: " + std::to_string(problems.size());
  };
  EXPECT_THAT(message("top: -1"), HasSubstr("0"));
  EXPECT_THAT(message("top: 1001"), HasSubstr("1000"));
  EXPECT_THAT(message("max_tuples: 0"), HasSubstr("1"));
  EXPECT_THAT(message("max_tuples: 1048577"), HasSubstr("1048576"));
  EXPECT_THAT(message("server_assumed_remote_ports: 0"), HasSubstr("1"));
  EXPECT_THAT(message("server_assumed_remote_ports: 65536"), HasSubstr("65535"));
  EXPECT_THAT(message("top: many"), HasSubstr("many"));
  for (const char* fine :
       {"top: 0", "top: 1000", "max_tuples: 1", "max_tuples: 1048576",
        "server_assumed_remote_ports: 1", "server_assumed_remote_ports: 65535"}) {
    EXPECT_EQ(message(fine), "problems: 0") << fine;
  }
}

// The walk for explicit binds.

unsigned walks(const MemoryKernel& kernel) {
  return static_cast<unsigned>(std::ranges::count_if(
      kernel.dumps, [](const SocketDump& dump) { return dump.only_explicit_binds; }));
}

TEST(SocketReader, WalksForExplicitBindsSeldomWhereSocketsAreMany) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.explicit_binds = "";
  SocketReader reader(kernel);
  SocketTable table(10);
  CollectorOutput out;
  SteadyTime now = kNow;
  const auto pass = [&] {
    ASSERT_TRUE(reader.read(now, std::nullopt, table, out));
    table.end_pass(0);
    now += 15s;
  };
  for (int i = 0; i < 3; ++i) pass();
  EXPECT_EQ(walks(kernel), 3U) << "each time in a small table";

  for (unsigned i = 0; i < 16'385; ++i) kernel.sockets += socket_message({.local_port = 80});
  kernel.dumps.clear();
  pass();
  EXPECT_EQ(walks(kernel), 1U) << "the last pass had found few sockets";
  for (int i = 0; i < 7; ++i) pass();
  EXPECT_EQ(walks(kernel), 1U);
  for (int i = 0; i < 8; ++i) pass();
  EXPECT_EQ(walks(kernel), 2U) << "every two minutes";

  kernel.sockets.clear();
  pass();
  kernel.dumps.clear();
  pass();
  EXPECT_EQ(walks(kernel), 1U) << "few again";
}

TEST(SocketReader, RemembersBoundIdleSocketsBetweenFullLooks) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  const std::string many = [] {
    std::string sockets;
    for (unsigned i = 0; i < 16'385; ++i) sockets += socket_message({.local_port = 80});
    return sockets;
  }();
  kernel.sockets = socket_message({.local_port = 40002, .state = 7}) + many;
  const auto collector = test::make_collector("sock_diag", kernel);
  const auto bound_inactive = [](const Polled& polled) {
    return polled.samples.find(
        "timewait_sockets{netns=\"self\",family=\"ipv4\",state=\"bound_inactive\"}");
  };
  const auto full = test::poll(*collector, kNow);
  EXPECT_EQ(blocked(full, "observed"), 1);

  kernel.sockets = many;  // it has gone, but nobody asks
  kernel.dumps.clear();
  for (int i = 1; i < 8; ++i) {
    const auto polled = test::poll(*collector, kNow + i * 15s);
    EXPECT_EQ(bound_inactive(polled), 1) << i;
    EXPECT_EQ(blocked(polled, "observed"), 0) << "nothing proves it";
    EXPECT_EQ(blocked(polled, "inferred"), 1);
    EXPECT_EQ(of_netns(polled, "timewait_ephemeral_ports_unused"), 9) << "not unused for certain";
    EXPECT_EQ(of_netns(polled, "timewait_bind_ports_usage_ratio_max"), 0.1);
  }
  for (const SocketDump& dump : kernel.dumps) EXPECT_EQ(dump.states & (1U << 13U), 0U);

  const auto next = test::poll(*collector, kNow + 2min);
  EXPECT_EQ(bound_inactive(next), 0);
  EXPECT_EQ(blocked(next, "inferred"), 0);
  EXPECT_EQ(of_netns(next, "timewait_ephemeral_ports_unused"), 10);
}

TEST(SocketReader, LooksFullyWhereTheSourceHasChanged) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = socket_message({.local_port = 40002, .state = 7});
  std::string proc = "  sl  local_address rem_address   st\n";
  for (unsigned i = 0; i < 16'385; ++i) {
    kernel.sockets += socket_message({.local_port = 80});
    proc += " 0: 0100007F:0050 0100007F:9C40 01 00000000:00000000 00:00000000 00000000 0\n";
  }
  kernel.proc["net/tcp"] = proc;
  const auto collector = test::make_collector("sock_diag", kernel);
  test::poll(*collector, kNow);
  kernel.on_dump = [](const SocketDump&, const Kernel::OnBuffer&) -> Result<void> {
    return test::forbidden("netlink sock_diag");
  };
  const auto without = test::poll(*collector, kNow + 15s);
  EXPECT_EQ(without.samples.find("timewait_socket_source{netns=\"self\",source=\"proc_net_tcp\"}"),
            1);
  EXPECT_EQ(blocked(without, "inferred"), 0) << "this source knows nothing of it";

  kernel.on_dump = nullptr;
  const auto again = test::poll(*collector, kNow + 75s);
  EXPECT_EQ(blocked(again, "observed"), 1);
  EXPECT_EQ(again.samples.find(
                "timewait_sockets{netns=\"self\",family=\"ipv4\",state=\"bound_inactive\"}"),
            1)
      << "nobody had looked, so none would have been no answer";
}

TEST(SocketReader, DoesWithoutAWalkThatTheKernelRefuses) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = socket_message(client(40000));
  const auto polled = poll_once(kernel);
  ASSERT_TRUE(polled.result);
  EXPECT_TRUE(polled.errors.empty());
  EXPECT_EQ(
      polled.samples.find("timewait_socket_source{netns=\"self\",source=\"tcpdiag_getsock\"}"), 1);
}

}  // namespace
}  // namespace timewait
