#include "collectors/parse/proc_net_tcp.h"

namespace timewait::parse {
namespace {

using ::testing::HasSubstr;

Socket parse_good(std::string_view line) {
  const auto parsed = parse_proc_net_tcp_line(line);
  EXPECT_TRUE(parsed) << parsed.error().text();
  EXPECT_TRUE(parsed && *parsed) << "the line was taken for the heading: " << line;
  return parsed && *parsed ? **parsed : Socket{};
}

TEST(ParseProcNetTcp, ReadsAListener) {
  const Socket socket = parse_good(
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "12345 1 0000000000000000 100 0 0 10 0");
  EXPECT_EQ(to_string(socket.local), "127.0.0.1");
  EXPECT_EQ(socket.local_port, 8080);
  EXPECT_EQ(socket.state, TcpState::kListen);
  EXPECT_FALSE(socket.is_minisock);
}

TEST(ParseProcNetTcp, ReadsATimeWaitWithItsTime) {
  const Socket socket = parse_good(
      " 12: 0100007F:A3D2 0200007F:01BB 06 00000000:00000000 03:00000C1C 00000000     0        0 0 "
      "3 0000000000000000");
  EXPECT_EQ(socket.state, TcpState::kTimeWait);
  EXPECT_TRUE(socket.is_minisock);
  EXPECT_EQ(to_string(socket.remote), "127.0.0.2");
  EXPECT_EQ(socket.remote_port, 443);
  EXPECT_EQ(socket.expires_in, std::chrono::milliseconds(31'000)) << "0xC1C ticks of 10 ms";
}

TEST(ParseProcNetTcp, FoldsMappedAndReadsIpv6) {
  const std::string rest = " 01 00000000:00000000 00:00000000 00000000 0 0 1";
  EXPECT_EQ(to_string(parse_good("0: 0000000000000000FFFF00000100007F:0050 "
                                 "0000000000000000FFFF00000100007F:0051" +
                                 rest)
                          .local),
            "127.0.0.1");
  EXPECT_EQ(to_string(parse_good("0: B80D0120000000000000000001000000:0050 "
                                 "00000000000000000000000001000000:0051" +
                                 rest)
                          .local),
            "2001:db8::1");
}

TEST(ParseProcNetTcp, DoesNotOverflowTheTime) {
  const Socket socket =
      parse_good("0: 0100007F:0001 0100007F:0002 06 00000000:00000000 03:FFFFFFFFFFFFFFFF 0");
  EXPECT_GT(socket.expires_in, std::chrono::hours(1000));
}

TEST(ParseProcNetTcp, PassesOverTheHeading) {
  for (const char* line : {"  sl  local_address rem_address   st tx_queue", "", "   "}) {
    const auto parsed = parse_proc_net_tcp_line(line);
    ASSERT_TRUE(parsed) << line;
    EXPECT_FALSE(*parsed) << line;
  }
}

TEST(ParseProcNetTcp, SaysWhatItExpected) {
  struct Case {
    const char* line;
    const char* says;
  };
  for (const auto& [line, says] : {
           Case{"0:", "expected local address:port, found \"\""},
           Case{"0: 0100007F", "local address:port"},
           Case{"0: 0100007:1F90 0:0", "local address:port"},
           Case{"0: 0100007F01:1F90 0:0", "local address:port"},
           Case{"0: 0100007G:1F90 00000000:0000 0A", "local address:port"},
           Case{"0: 0100007F:1F900 00000000:0000 0A", "local address:port"},
           Case{"0: 0100007F:1F90 00000000 0A", "remote address:port"},
           Case{"0: 0100007F:1F90 00000000:0000", "TCP state, found \"\""},
           Case{"0: 0100007F:1F90 00000000:0000 00 0:0 00:0", "TCP state"},
           Case{"0: 0100007F:1F90 00000000:0000 0E 0:0 00:0", "TCP state"},
           Case{"0: 0100007F:1F90 00000000:0000 FFF 0:0 00:0", "TCP state"},
           Case{"0: 0100007F:1F90 00000000:0000 0A 0:0", "timer:ticks"},
           Case{"0: 0100007F:1F90 00000000:0000 0A 0:0 03", "timer:ticks"},
           Case{"0: 0100007F:1F90 00000000:0000 0A 0:0 03:", "timer:ticks"},
           Case{"0: 0100007F:1F90 00000000:0000 0A 0:0 03:-1", "timer:ticks"},
       }) {
    const auto parsed = parse_proc_net_tcp_line(line);
    ASSERT_FALSE(parsed) << "taken for good: " << line;
    EXPECT_EQ(parsed.error().reason, ErrorReason::kMalformed);
    EXPECT_THAT(parsed.error().detail, HasSubstr(says)) << line;
  }
}

}  // namespace
}  // namespace timewait::parse
