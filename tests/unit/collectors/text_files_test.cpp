#include "collectors/parse/counters.h"
#include "collectors/parse/slabinfo.h"
#include "collectors/parse/sockstat.h"
#include "collectors/parse/sysctl.h"

namespace timewait::parse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseSockstat, FindsByNameInTheProtocolsLine) {
  constexpr std::string_view kSockstat =
      "sockets: used 231\nTCP: tw 10 inuse 5 novelty 9 mem 262 orphan x\nUDP: inuse 3 mem 2\n";
  const auto tcp = parse_sockstat(kSockstat, "TCP");
  ASSERT_TRUE(tcp) << tcp.error().text();
  EXPECT_EQ(tcp->find("inuse"), 5U);
  EXPECT_EQ(tcp->find("mem"), 262U);
  EXPECT_EQ(tcp->find("alloc"), std::nullopt);
  ASSERT_FALSE(tcp->find("orphan")) << "garbage in one field spoils no other";
  EXPECT_THAT(tcp->find("orphan").error().detail,
              HasSubstr("orphan: expected a number, found \"x\""));
  EXPECT_EQ(parse_sockstat("TCP6: inuse 2\n", "TCP6")->find("inuse"), 2U);
}

TEST(ParseSockstat, RejectsWhatIsNoNumber) {
  for (const char* text :
       {"TCP: inuse\n", "TCP: inuse -1\n", "TCP: inuse 99999999999999999999\n"}) {
    const auto tcp = parse_sockstat(text, "TCP");
    ASSERT_TRUE(tcp) << text;
    EXPECT_FALSE(tcp->find("inuse")) << "taken for a number: " << text;
  }
}

TEST(ParseSockstat, WantsTheProtocolsLine) {
  for (const char* text :
       {"", "UDP: inuse 1\n", "TCP: inuse 12", "TCP inuse 1\n", "TCP6: inuse 2\n"}) {
    const auto tcp = parse_sockstat(text, "TCP");
    ASSERT_FALSE(tcp) << "taken for good: " << text;
    EXPECT_EQ(tcp.error().detail, "expected a whole line TCP:, found none");
  }
}

constexpr std::string_view kNetstat =
    "TcpExt: SyncookiesSent TW TWRecycled\nTcpExt: 0 12 3\nIpExt: InNoRoutes\nIpExt: 4\n";

TEST(ParseCounters, FindsByName) {
  const auto counters = parse_counters(kNetstat, "TcpExt");
  ASSERT_TRUE(counters) << counters.error().text();
  EXPECT_EQ(counters->find("TWRecycled"), 3U);
  EXPECT_EQ(counters->find("PAWSPassive"), std::nullopt);
  EXPECT_EQ(parse_counters(kNetstat, "IpExt")->find("InNoRoutes"), 4U);
}

TEST(ParseCounters, ComplainsOnlyOfTheFieldThatIsAsked) {
  const auto counters = parse_counters("Tcp: A B\nTcp: -1 2\n", "Tcp");
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->find("B"), 2U);
  ASSERT_FALSE(counters->find("A"));
  EXPECT_THAT(counters->find("A").error().detail, HasSubstr("A: expected a number, found \"-1\""));
}

TEST(ParseCounters, DoesNotTakeOneProtocolForAnother) {
  EXPECT_FALSE(parse_counters(kNetstat, "Tcp"));
  EXPECT_FALSE(parse_counters(kNetstat, "TcpEx"));
}

TEST(ParseCounters, RejectsLinesThatDoNotMatch) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {
           Case{"", "found none"},
           Case{"Tcp: A B\n", "found one"},
           Case{"Tcp: A B\nTcp: 1\n", "found fewer"},
           Case{"Tcp: A\nTcp: 1 2\n", "found more"},
           Case{"Tcp: A B\nTcp:\n", "found fewer"},
           Case{"Tcp: A B\nTcp: 1 2", "found one"},
           Case{"Tcp: A B", "found none"},
       }) {
    const auto counters = parse_counters(text, "Tcp");
    ASSERT_FALSE(counters) << "taken for good: " << text;
    EXPECT_THAT(counters.error().detail, HasSubstr(says)) << text;
  }
}

TEST(ToSnakeCase, FollowsTheContract) {
  struct Case {
    const char* field;
    const char* snake_case;
  };
  for (const auto& [field, snake_case] : {
           Case{"TW", "tw"},
           Case{"TWRecycled", "tw_recycled"},
           Case{"TWKilled", "tw_killed"},
           Case{"PAWSPassive", "paws_passive"},
           Case{"PAWSActive", "paws_active"},
           Case{"PAWSEstab", "paws_estab"},
           Case{"PAWSOldAck", "paws_old_ack"},
           Case{"PAWSTimewait", "paws_timewait"},
           Case{"TSEcrRejected", "ts_ecr_rejected"},
           Case{"BeyondWindow", "beyond_window"},
           Case{"TCPTimeWaitOverflow", "tcp_time_wait_overflow"},
           Case{"TCPACKSkippedTimeWait", "tcp_ack_skipped_time_wait"},
           Case{"TCPACKSkippedFinWait2", "tcp_ack_skipped_fin_wait2"},
           Case{"TCPACKSkippedPAWS", "tcp_ack_skipped_paws"},
           Case{"TCPAbortOnData", "tcp_abort_on_data"},
           Case{"ListenOverflows", "listen_overflows"},
           Case{"EmbryonicRsts", "embryonic_rsts"},
           Case{"TCPReqQFullDrop", "tcp_req_q_full_drop"},
           Case{"TCPReqQFullDoCookies", "tcp_req_q_full_do_cookies"},
           Case{"SyncookiesSent", "syncookies_sent"},
           Case{"ActiveOpens", "active_opens"},
           Case{"OutRsts", "out_rsts"},
           Case{"CurrEstab", "curr_estab"},
           Case{"TCPTimeouts", "tcp_timeouts"},
           Case{"TCPDSACKOldSent", "tcp_dsack_old_sent"},
       }) {
    EXPECT_EQ(to_snake_case(field), snake_case);
  }
}

constexpr std::string_view kSlabinfo =
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables "
    "<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
    "TCPv6                 13     26   2496   13    8 : tunables    0    0    0 : slabdata      1  "
    " "
    "   2      0\n"
    "tw_sock_TCP           30     32    256   16    1 : tunables    0    0    0 : slabdata      2  "
    " "
    "   3      0\n";

TEST(ParseSlabinfo, TellsWhereTheTextIsCutOff) {
  std::string text(kSlabinfo);
  text.resize(text.size() - 1);
  const auto caches = parse_slabinfo(text, {"tw_sock_TCP", "TCPv6"});
  ASSERT_TRUE(caches) << caches.error().text();
  EXPECT_EQ(caches->caches.size(), 1U);
  ASSERT_EQ(caches->problems.size(), 1U);
  EXPECT_EQ(caches->problems.front().detail, "line 4: the text is cut off");
}

TEST(ParseSlabinfo, FindsColumnsByTheirHeadings) {
  const auto caches = parse_slabinfo(kSlabinfo, {"tw_sock_TCP", "tcp_bind_bucket"});
  ASSERT_TRUE(caches) << caches.error().text();
  ASSERT_EQ(caches->caches.size(), 1U) << "caches that were not asked for are left out";
  const SlabCache& cache = caches->caches.front();
  EXPECT_EQ(cache.name, "tw_sock_TCP");
  EXPECT_EQ(cache.active_objects, 30U);
  EXPECT_EQ(cache.objects, 32U);
  EXPECT_EQ(cache.object_size, 256U);
  EXPECT_EQ(cache.pages_per_slab, 1U);
  EXPECT_EQ(cache.slabs, 3U);
}

TEST(ParseSlabinfo, ReadsColumnsInAnyOrder) {
  const auto caches = parse_slabinfo(
      "# name <num_slabs> <pagesperslab> <objsize> <num_objs> <active_objs>\nTCP 1 2 3 4 5\n",
      {"TCP"});
  ASSERT_TRUE(caches) << caches.error().text();
  EXPECT_EQ(caches->caches.front().slabs, 1U);
  EXPECT_EQ(caches->caches.front().active_objects, 5U);
}

TEST(ParseSlabinfo, RejectsWhatItCannotPlace) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {
           Case{"", "expected a heading line"},
           Case{"TCP 1 2 3\n", "expected a heading line"},
           Case{"# name <active_objs>\n", "line 1: expected a column <num_objs>"},
       }) {
    const auto caches = parse_slabinfo(text, {"TCP"});
    ASSERT_FALSE(caches) << "taken for good: " << text;
    EXPECT_THAT(caches.error().detail, HasSubstr(says)) << text;
  }
}

TEST(ParseSlabinfo, KeepsTheOtherCachesWhereALineIsBroken) {
  struct Case {
    const char* line;
    const char* says;
  };
  for (const auto& [line, says] : {
           Case{"TCP 1 2\n", "line 5: TCP: the line is too short"},
           Case{"TCP x 26 2496 13 8 : t 0 0 0 : s 1 2 0\n",
                "line 5: TCP: <active_objs>: expected a number, found \"x\""},
           Case{"TCP\n", "line 5: TCP: the line is too short"},
           Case{"TCP 13 26 2496 13 8 : t 0 0 0 : s 1 2", "line 5: the text is cut off"},
       }) {
    const auto slabinfo = parse_slabinfo(std::string(kSlabinfo) + line, {"TCP", "TCPv6"});
    ASSERT_TRUE(slabinfo) << line;
    EXPECT_EQ(slabinfo->caches.size(), 1U) << line;
    ASSERT_EQ(slabinfo->problems.size(), 1U) << "taken for good: " << line;
    EXPECT_THAT(slabinfo->problems[0].detail, HasSubstr(says));
  }
}

TEST(ParseSlabinfo, DoesNotMindGarbageInOtherCaches) {
  const auto caches = parse_slabinfo(std::string(kSlabinfo) + "odd cache\n\x01\x02\n", {"TCPv6"});
  ASSERT_TRUE(caches) << caches.error().text();
  EXPECT_EQ(caches->caches.size(), 1U);
}

TEST(ParseSysctlNumbers, ReadsOneToEight) {
  EXPECT_THAT(*parse_sysctl_numbers("-262144\n"), ElementsAre(-262144));
  EXPECT_THAT(*parse_sysctl_numbers("287901\t383868\t575802\n"),
              ElementsAre(287901, 383868, 575802));
  for (const char* wrong :
       {"", "\n", "x", "1 x", "1 2 3 4 5 6 7 8 9", "9223372036854775808", "1.5"}) {
    EXPECT_FALSE(parse_sysctl_numbers(wrong)) << wrong;
  }
}

TEST(ParsePortRange, WantsTwoPortsInRisingOrder) {
  EXPECT_EQ(*parse_port_range("32768\t60999\n"), (PortRange{32768, 60999}));
  EXPECT_EQ(*parse_port_range("1 65535"), (PortRange{1, 65535}));
  EXPECT_EQ(*parse_port_range("7 7"), (PortRange{7, 7}));
  for (const char* wrong : {"", "32768", "60999 32768", "1 65536", "-1 5", "1 2 3", "a b"}) {
    EXPECT_FALSE(parse_port_range(wrong)) << wrong;
  }
}

TEST(ParsePortList, ReadsPortsAndRanges) {
  const auto ports = parse_port_list("8080,9148-9150,65535\n");
  ASSERT_TRUE(ports) << ports.error().text();
  EXPECT_EQ(ports->size(), 5U);
  EXPECT_TRUE(ports->contains(8080) && ports->contains(9149) && ports->contains(65535));
  EXPECT_EQ(parse_port_list("\n")->size(), 0U);
  EXPECT_EQ(parse_port_list("0-65535\n")->size(), 65536U);
  EXPECT_EQ(parse_port_list("")->size(), 0U) << "gVisor's empty list";
  for (const char* wrong : {"x", ",1", "1,,2", "5-1", "1-", "-1", "1-2-3", "65536", "1 2"}) {
    EXPECT_FALSE(parse_port_list(wrong + std::string("\n"))) << wrong;
  }
  EXPECT_FALSE(parse_port_list("8080,9148-91")) << "may have been cut off anywhere";
}

TEST(ParseKernelRelease, ReadsMajorAndMinor) {
  EXPECT_EQ(*parse_kernel_release("6.1.0-18-amd64\n"), (KernelRelease{6, 1}));
  EXPECT_EQ(*parse_kernel_release("3.10"), (KernelRelease{3, 10}));
  EXPECT_LT(*parse_kernel_release("5.19.1"), (KernelRelease{6, 8}));
  EXPECT_LT(*parse_kernel_release("6.7"), *parse_kernel_release("6.18.44-x"));
  for (const char* wrong : {"", "6", "6.", "x.y", ".8", "6.x"}) {
    EXPECT_FALSE(parse_kernel_release(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace timewait::parse
