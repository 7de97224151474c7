#include <cerrno>

#include "tests/support/memory_kernel.h"
#include "tests/support/run_collector.h"
#include "tests/support/socket_message.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::MemoryKernel;
using test::netlink_status;
using test::socket_message;
using test::SocketSpec;
using test::time_wait;
using ::testing::HasSubstr;

constexpr SteadyTime kNow{1h};

void add_sysctls(MemoryKernel& kernel) {
  kernel.proc["sys/kernel/osrelease"] = "6.18.44\n";
  kernel.proc["sys/net/ipv4/ip_local_port_range"] = "40000\t40009\n";
  kernel.proc["sys/net/ipv4/ip_local_reserved_ports"] = "40001,40003-40004,8080\n";
}

/// Answers every dump with the same bytes.
auto answer_with(std::string bytes) {
  return [bytes = std::move(bytes)](const SocketDump&, const Kernel::OnBuffer& on_buffer) {
    return on_buffer({std::as_bytes(std::span(bytes)), std::nullopt}).map([](DumpProgress) {});
  };
}

TEST(SockDiag, CountsByFamilyAndStateWithZeros) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = socket_message({.local_port = 1, .state = 1}) +
                   socket_message({.local = "::1", .local_port = 2, .state = 1}) +
                   socket_message({.local = "::ffff:127.0.0.1", .local_port = 3, .state = 8}) +
                   socket_message({.local_port = 4, .state = 5, .timer = 3}) +
                   socket_message({.local_port = 5, .state = 7});
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  ASSERT_TRUE(polled.result) << polled.result.error().text();
  const auto sockets = [&](const std::string& family, const std::string& state) {
    return polled.samples.find("timewait_sockets{netns=\"self\",family=\"" + family +
                               "\",state=\"" + state + "\"}");
  };
  EXPECT_EQ(sockets("ipv4", "established"), 1);
  EXPECT_EQ(sockets("ipv6", "established"), 1);
  EXPECT_EQ(sockets("ipv4", "close_wait"), 1) << "IPv4-mapped counts as IPv4";
  EXPECT_EQ(sockets("ipv4", "fin_wait2"), 1);
  EXPECT_EQ(sockets("ipv4", "bound_inactive"), 1);
  EXPECT_EQ(sockets("ipv4", "close"), 0) << "a bound idle socket is reported as CLOSE, but is none";
  EXPECT_EQ(sockets("ipv6", "time_wait"), 0);
  EXPECT_EQ(polled.samples.count("timewait_sockets{"), 24U) << "12 states, zeros included";
  EXPECT_EQ(polled.samples.find("timewait_fin_wait2_minisocks{netns=\"self\"}"), 1);
  EXPECT_EQ(polled.samples.find("timewait_bind_buckets{netns=\"self\"}"), 5);
}

TEST(SockDiag, ReckonsTheEphemeralPorts) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.sockets = socket_message({.local_port = 40000, .state = 10}) +
                   socket_message({.local_port = 40003, .state = 10}) +  // reserved
                   socket_message({.local_port = 40002, .state = 7}) +
                   socket_message(time_wait({.local_port = 40005})) +
                   socket_message({.local_port = 80, .state = 10});
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  EXPECT_EQ(polled.samples.find("timewait_ephemeral_ports{netns=\"self\"}"), 7);
  EXPECT_EQ(polled.samples.find("timewait_ephemeral_ports_reserved{netns=\"self\"}"), 3);
  EXPECT_EQ(polled.samples.find("timewait_ephemeral_ports_unused{netns=\"self\"}"), 4);
  EXPECT_EQ(
      polled.samples.find("timewait_ephemeral_ports_blocked{netns=\"self\",evidence=\"observed\"}"),
      2);
}

TEST(SockDiag, KeepsTheServersRoleAfterItsListenerHasGone) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  const std::string connection = socket_message(time_wait({.local_port = 443}));
  const auto server = [](const test::Polled& polled) {
    return polled.samples.find("timewait_time_wait_sockets{netns=\"self\",role=\"server\"}");
  };
  const auto collector = test::make_collector("sock_diag", kernel);
  kernel.sockets =
      socket_message({.local = "0.0.0.0", .local_port = 443, .state = 10}) + connection;
  EXPECT_EQ(server(test::poll(*collector, kNow)), 1);
  kernel.sockets = connection;
  EXPECT_EQ(server(test::poll(*collector, kNow + 59s)), 1);
  EXPECT_EQ(server(test::poll(*collector, kNow + 61s)), 0);
}

TEST(SockDiag, AsksForListenersFirstAndThenOnceForTheRest) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  const auto collector = test::make_collector("sock_diag", kernel);
  test::poll(*collector);
  ASSERT_EQ(kernel.dumps.size(), 3U) << "a filtered dump, a cheap one, the pass";
  EXPECT_TRUE(kernel.dumps[0].only_explicit_binds);
  EXPECT_EQ(kernel.dumps[0].states & (1U << 6U), 0U) << "TIME-WAIT is never known as explicit";
  EXPECT_EQ(kernel.dumps[1].states, 1U << 10U) << "listeners";
  EXPECT_EQ(kernel.dumps[2].states, 0x3ffeU & ~(1U << 10U)) << "all others, none twice";
  EXPECT_EQ(kernel.dumps[2].request, SocketRequest::kBothFamilies);
}

TEST(SockDiag, DoesNotAskAnOldKernelForBoundIdleSockets) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/kernel/osrelease"] = "6.1.0-18-amd64\n";
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  EXPECT_EQ(kernel.dumps.at(2).states & (1U << 13U), 0U)
      << "with the unknown bit 13 the kernel would walk its whole table for nothing";
  EXPECT_EQ(polled.samples.count("timewait_sockets{"), 22U) << "bound_inactive is absent";
}

TEST(SockDiag, FallsBackToADumpForEachFamily) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  const std::string sockets =
      socket_message({.local_port = 1}) + socket_message({.local = "::1", .local_port = 2});
  kernel.on_dump = [&](const SocketDump& dump, const Kernel::OnBuffer& on_buffer) {
    const std::string answer = dump.request == SocketRequest::kBothFamilies
                                   ? netlink_status(NLMSG_ERROR, -EOPNOTSUPP)
                                   : filter_recorded_dump(sockets, dump);
    return on_buffer({std::as_bytes(std::span(answer)), std::nullopt}).map([](DumpProgress) {});
  };
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  ASSERT_TRUE(polled.result) << polled.result.error().text();
  EXPECT_TRUE(polled.errors.empty());
  EXPECT_EQ(
      polled.samples.find("timewait_socket_source{netns=\"self\",source=\"sock_diag_by_family\"}"),
      1);
  EXPECT_EQ(polled.samples.find("timewait_bind_buckets{netns=\"self\"}"), 2);
}

constexpr const char* kProcNetTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   1: 0100007F:0050 0100007F:9C40 06 00000000:00000000 03:00000100 00000000     0\n";

TEST(SockDiag, ReadsProcNetTcpWhereNetlinkIsRefused) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.chunk_size = 7;
  kernel.on_dump = answer_with(netlink_status(NLMSG_DONE, -ENOENT));
  kernel.proc["net/tcp"] = kProcNetTcp;
  const auto collector = test::make_collector("sock_diag", kernel);
  const auto polled = test::poll(*collector, kNow);
  ASSERT_TRUE(polled.result) << polled.result.error().text();
  EXPECT_TRUE(polled.errors.empty()) << "the figures are right, so this is no error";
  ASSERT_EQ(polled.notices.size(), 1U);
  EXPECT_THAT(polled.notices[0].text(), HasSubstr("tcp_diag"));
  EXPECT_EQ(polled.samples.find("timewait_socket_source{netns=\"self\",source=\"proc_net_tcp\"}"),
            1);
  EXPECT_EQ(polled.samples.find("timewait_time_wait_sockets{netns=\"self\",role=\"server\"}"), 1);
  EXPECT_EQ(polled.samples.count("timewait_sockets{"), 22U) << "/proc/net/tcp lacks bound_inactive";
}

TEST(SockDiag, TriesNetlinkAgainAfterAMinute) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.on_dump = answer_with(netlink_status(NLMSG_DONE, -ENOENT));
  kernel.proc["net/tcp"] = kProcNetTcp;
  const auto collector = test::make_collector("sock_diag", kernel);
  test::poll(*collector, kNow);
  const std::size_t asked = kernel.dumps.size();
  EXPECT_EQ(test::poll(*collector, kNow + 59s).notices.size(), 1U);
  EXPECT_EQ(kernel.dumps.size(), asked) << "each try makes the kernel look for a module";
  kernel.on_dump = nullptr;
  const auto polled = test::poll(*collector, kNow + 60s);
  EXPECT_TRUE(polled.notices.empty());
  EXPECT_EQ(
      polled.samples.find("timewait_socket_source{netns=\"self\",source=\"tcpdiag_getsock\"}"), 1);
}

TEST(SockDiag, NamesTheModuleWhereNothingAnswers) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.on_dump = answer_with(netlink_status(NLMSG_DONE, -ENOENT));
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  EXPECT_FALSE(polled.result) << "a missing module must not look like a host without sockets";
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_THAT(polled.errors[0].text(), HasSubstr("tcp_diag"));
}

TEST(SockDiag, RepeatsAnInterruptedDumpOnce) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  int calls = 0;
  kernel.on_dump = [&](const SocketDump&, const Kernel::OnBuffer& on_buffer) {
    const std::string answer =
        ++calls == 3 ? socket_message({.local_port = 1}) + netlink_status(NLMSG_ERROR, -ENOBUFS)
                     : netlink_status(NLMSG_DONE, 0);
    return on_buffer({std::as_bytes(std::span(answer)), std::nullopt}).map([](DumpProgress) {});
  };
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  ASSERT_TRUE(polled.result) << polled.result.error().text();
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(polled.samples.find("timewait_bind_buckets{netns=\"self\"}"), 0)
      << "what the interrupted dump counted is thrown away";
}

TEST(SockDiag, FailsWhereDumpsStayInterrupted) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.on_dump = answer_with(netlink_status(NLMSG_ERROR, -ENOBUFS));
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  ASSERT_FALSE(polled.result);
  EXPECT_EQ(polled.result.error().reason, ErrorReason::kInterrupted);
  EXPECT_EQ(kernel.dumps.size(), 2U);
}

TEST(SockDiag, FailsOnGarbageRatherThanFallBack) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.on_dump = answer_with("garbage that is no netlink message");
  kernel.proc["net/tcp"] = kProcNetTcp;
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  ASSERT_FALSE(polled.result);
  EXPECT_EQ(polled.result.error().reason, ErrorReason::kMalformed);
  EXPECT_EQ(polled.result.error().source, "netlink sock_diag");
}

TEST(SockDiag, TellsTheLineOfGarbageInProcNetTcp) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.on_dump = answer_with(netlink_status(NLMSG_ERROR, -EPERM));
  kernel.proc["net/tcp"] = std::string(kProcNetTcp) + "   2: zzz\n";
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  ASSERT_FALSE(polled.result);
  EXPECT_THAT(polled.result.error().text(), HasSubstr("/proc/net/tcp: line 4: expected local"));
}

TEST(SockDiag, LeavesThePortsOutWithoutThePortRange) {
  MemoryKernel kernel;
  add_sysctls(kernel);
  kernel.proc["sys/net/ipv4/ip_local_port_range"] = "nonsense";
  const auto polled = test::poll(*test::make_collector("sock_diag", kernel));
  EXPECT_TRUE(polled.result) << "the sockets were read all the same";
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.errors[0].source, "/proc/sys/net/ipv4/ip_local_port_range");
  EXPECT_EQ(polled.samples.count("timewait_ephemeral_ports"), 0U);
  EXPECT_EQ(polled.samples.count("timewait_sockets{"), 24U);
}

TEST(SockDiag, RejectsOptionsThatItDoesNotKnow) {
  MemoryKernel kernel;
  config::Problems problems;
  test::make_collector("sock_diag", kernel, "colour: red", &problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(problems[0].message, HasSubstr("colour"));
}

}  // namespace
}  // namespace timewait
