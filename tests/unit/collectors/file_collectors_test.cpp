#include "tests/support/memory_kernel.h"
#include "tests/support/run_collector.h"

namespace timewait {
namespace {

using test::forbidden;
using test::MemoryKernel;
using ::testing::HasSubstr;

// --- netstat

void add_netstat(MemoryKernel& kernel) {
  kernel.proc["net/netstat"] = "TcpExt: TW TWRecycled TCPTimeouts\nTcpExt: 12 3 9\n";
  kernel.proc["net/snmp"] = "Tcp: MaxConn ActiveOpens CurrEstab\nTcp: -1 7 2\n";
}

TEST(Netstat, PublishesWhatTheKernelHasAndSaysWhatItLacks) {
  MemoryKernel kernel;
  add_netstat(kernel);
  const auto polled = test::poll(*test::make_collector("netstat", kernel));
  EXPECT_TRUE(polled.result && polled.errors.empty());
  EXPECT_EQ(polled.samples.find("timewait_netstat_tw_total{netns=\"self\"}"), 12);
  EXPECT_EQ(polled.samples.find("timewait_netstat_active_opens_total{netns=\"self\"}"), 7);
  EXPECT_EQ(polled.samples.find("timewait_netstat_curr_estab{netns=\"self\"}"), 2);
  EXPECT_EQ(
      polled.samples.find("timewait_netstat_field_available{netns=\"self\",field=\"PAWSPassive\"}"),
      0);
  EXPECT_EQ(polled.samples.find("timewait_netstat_paws_passive_total{netns=\"self\"}"),
            std::nullopt)
      << "absent, not 0";
}

TEST(Netstat, GoesOnWithOneFileWhereTheOtherIsMissing) {
  MemoryKernel kernel;
  add_netstat(kernel);
  kernel.proc.erase("net/snmp");
  const auto polled = test::poll(*test::make_collector("netstat", kernel));
  EXPECT_TRUE(polled.result);
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.errors[0].source, "/proc/net/snmp");
  EXPECT_EQ(polled.samples.find("timewait_netstat_tw_total{netns=\"self\"}"), 12);
  EXPECT_EQ(
      polled.samples.find("timewait_netstat_field_available{netns=\"self\",field=\"ActiveOpens\"}"),
      0);
}

TEST(Netstat, ReportsAFieldThatIsNoNumberAndKeepsTheOthers) {
  MemoryKernel kernel;
  add_netstat(kernel);
  kernel.proc["net/netstat"] = "TcpExt: TW TWRecycled\nTcpExt: x 3\n";
  const auto polled = test::poll(*test::make_collector("netstat", kernel));
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_THAT(polled.errors[0].text(), HasSubstr("/proc/net/netstat: TW: expected a number"));
  EXPECT_EQ(polled.samples.find("timewait_netstat_tw_total{netns=\"self\"}"), std::nullopt);
  EXPECT_EQ(polled.samples.find("timewait_netstat_field_available{netns=\"self\",field=\"TW\"}"),
            0);
  EXPECT_EQ(polled.samples.find("timewait_netstat_tw_recycled_total{netns=\"self\"}"), 3);
}

TEST(Netstat, AddsExtraFields) {
  MemoryKernel kernel;
  add_netstat(kernel);
  const auto polled = test::poll(
      *test::make_collector("netstat", kernel, "extra_fields: [TCPTimeouts, RetransSegs]"));
  EXPECT_EQ(polled.samples.find("timewait_netstat_tcp_timeouts_total{netns=\"self\"}"), 9);
  EXPECT_EQ(
      polled.samples.find("timewait_netstat_field_available{netns=\"self\",field=\"RetransSegs\"}"),
      0);
}

TEST(Netstat, RejectsExtraFieldsThatCannotBe) {
  MemoryKernel kernel;
  config::Problems problems;
  test::make_collector("netstat", kernel,
                       "extra_fields: [TW, MaxConn, \"a b\", TCPTimeouts, TCPTimeouts]", &problems);
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_THAT(problems[0].message, HasSubstr("published already"));
  EXPECT_THAT(problems[1].message, HasSubstr("not a counter"));
  EXPECT_THAT(problems[2].message, HasSubstr("expected the name of a counter"));
  EXPECT_THAT(problems[3].message, HasSubstr("named twice"));
}

// --- sockstat

TEST(Sockstat, MultipliesPagesAndPassesOverMissingIpv6) {
  MemoryKernel kernel;
  kernel.proc["net/sockstat"] = "TCP: inuse 5 orphan 0 tw 10 alloc 7 mem 3\n";
  const auto polled = test::poll(*test::make_collector("sockstat", kernel));
  EXPECT_TRUE(polled.result && polled.errors.empty()) << "a kernel without IPv6 is no error";
  EXPECT_EQ(polled.samples.find("timewait_sockstat_tcp_memory_bytes"), 12288);
  EXPECT_EQ(polled.samples.find("timewait_sockstat_tcp_time_wait{netns=\"self\"}"), 10);
  EXPECT_EQ(polled.samples.count("timewait_sockstat_tcp6"), 0U);
}

TEST(Sockstat, KeepsIpv6WithoutTheOtherFile) {
  MemoryKernel kernel;
  kernel.proc["net/sockstat6"] = "TCP6: inuse 2\n";
  const auto polled = test::poll(*test::make_collector("sockstat", kernel));
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.errors[0].source, "/proc/net/sockstat");
  EXPECT_EQ(polled.samples.find("timewait_sockstat_tcp6_in_use{netns=\"self\"}"), 2);
}

TEST(Sockstat, ReportsAFieldThatIsNoNumberAndKeepsTheOthers) {
  MemoryKernel kernel;
  kernel.proc["net/sockstat"] = "TCP: inuse 5 orphan x tw 10 mem 3\n";
  const auto polled = test::poll(*test::make_collector("sockstat", kernel));
  ASSERT_EQ(polled.errors.size(), 2U);
  EXPECT_THAT(polled.errors[0].text(), HasSubstr("/proc/net/sockstat: orphan: expected a number"));
  EXPECT_THAT(polled.errors[1].text(), HasSubstr("expected a field alloc, found none"));
  EXPECT_EQ(polled.samples.find("timewait_sockstat_tcp_time_wait{netns=\"self\"}"), 10);
  EXPECT_EQ(polled.samples.count("timewait_sockstat_tcp_orphans"), 0U);
}

TEST(Sockstat, ReportsAnUnreadableIpv6File) {
  MemoryKernel kernel;
  kernel.proc["net/sockstat"] = "TCP: inuse 5 orphan 0 tw 10 alloc 7 mem 3\n";
  kernel.proc["net/sockstat6"] = forbidden("/proc/net/sockstat6");
  const auto polled = test::poll(*test::make_collector("sockstat", kernel));
  EXPECT_TRUE(polled.result);
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_EQ(polled.errors[0].reason, ErrorReason::kPermission);
}

// --- slabinfo

constexpr const char* kSlabinfo =
    "slabinfo - version: 2.1\n"
    "# name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
    "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
    "tw_sock_TCP 30 32 256 16 2 : tunables 0 0 0 : slabdata 2 3 0\n"
    "tcp_bind_bucket 100 128 128 32 1 : tunables 0 0 0 : slabdata 4 4 0\n";

TEST(Slabinfo, ReckonsTheSizeAsSlabtopDoes) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = kSlabinfo;
  kernel.links["kernel/slab/tw_sock_TCP"] = "";
  const auto polled = test::poll(*test::make_collector("slabinfo", kernel));
  EXPECT_TRUE(polled.result && polled.errors.empty());
  EXPECT_EQ(polled.samples.find("timewait_slab_objects{cache=\"tw_sock_TCP\"}"), 32);
  EXPECT_EQ(polled.samples.find("timewait_slab_objects_active{cache=\"tw_sock_TCP\"}"), 30);
  EXPECT_EQ(polled.samples.find("timewait_slab_size_bytes{cache=\"tw_sock_TCP\"}"), 3 * 2 * 4096);
  EXPECT_EQ(polled.samples.find("timewait_slab_merged{cache=\"tw_sock_TCP\"}"), 0);
}

TEST(Slabinfo, DoesNotCountAMergedCacheEvenIfItIsListed) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = kSlabinfo;
  kernel.links["kernel/slab/tcp_bind_bucket"] = ":A-0000128";
  kernel.sys["kernel/slab/tcp_bind_bucket/aliases"] = "4\n";
  kernel.sys["kernel/slab/tcp_bind_bucket/slab_size"] = "128\n";
  const auto polled = test::poll(*test::make_collector("slabinfo", kernel));
  EXPECT_EQ(polled.samples.find("timewait_slab_merged{cache=\"tcp_bind_bucket\"}"), 1);
  EXPECT_EQ(polled.samples.find("timewait_slab_objects{cache=\"tcp_bind_bucket\"}"), std::nullopt);
  EXPECT_EQ(polled.samples.find("timewait_slab_object_size_bytes{cache=\"tcp_bind_bucket\"}"), 128);
}

TEST(Slabinfo, CountsAMergeableCacheThatIsAlone) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = kSlabinfo;
  kernel.links["kernel/slab/tcp_bind_bucket"] = ":A-0000128";
  kernel.sys["kernel/slab/tcp_bind_bucket/aliases"] = "0\n";
  const auto polled = test::poll(*test::make_collector("slabinfo", kernel));
  EXPECT_EQ(polled.samples.find("timewait_slab_merged{cache=\"tcp_bind_bucket\"}"), 0);
  EXPECT_EQ(polled.samples.find("timewait_slab_objects{cache=\"tcp_bind_bucket\"}"), 128);
}

TEST(Slabinfo, DoesNotClaimToKnowOfMergingWithoutSysfs) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = kSlabinfo;
  const auto polled = test::poll(*test::make_collector("slabinfo", kernel));
  EXPECT_EQ(polled.samples.count("timewait_slab_merged"), 0U);
  EXPECT_EQ(polled.samples.find("timewait_slab_objects{cache=\"tcp_bind_bucket\"}"), 128);
}

TEST(Slabinfo, NamesTheMissingPrivilege) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = forbidden("/proc/slabinfo");
  const auto polled = test::poll(*test::make_collector("slabinfo", kernel));
  ASSERT_FALSE(polled.result);
  EXPECT_EQ(polled.result.error().reason, ErrorReason::kPermission);
  EXPECT_THAT(polled.result.error().text(), HasSubstr("CAP_DAC_READ_SEARCH"));
}

TEST(Slabinfo, KeepsTheOtherCachesWhereOneFails) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = kSlabinfo;
  kernel.links["kernel/slab/tcp_bind_bucket"] = ":A-0000128";
  kernel.sys["kernel/slab/tcp_bind_bucket/aliases"] = "many";
  const auto polled = test::poll(*test::make_collector("slabinfo", kernel));
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_THAT(polled.errors[0].text(), HasSubstr("aliases: expected a number, found \"many\""));
  EXPECT_EQ(polled.samples.find("timewait_slab_objects{cache=\"tw_sock_TCP\"}"), 32);
}

TEST(Slabinfo, ReadsOnlyTheConfiguredCaches) {
  MemoryKernel kernel;
  kernel.proc["slabinfo"] = kSlabinfo;
  const auto polled =
      test::poll(*test::make_collector("slabinfo", kernel, "caches: [tcp_bind_bucket]"));
  EXPECT_EQ(polled.samples.count("timewait_slab_objects{"), 1U);
  config::Problems problems;
  test::make_collector("slabinfo", kernel, "caches: [../../etc, TCP, TCP]", &problems);
  EXPECT_EQ(problems.size(), 2U);
}

// --- sysctl

TEST(Sysctl, GivesEachShapeItsSuffixes) {
  MemoryKernel kernel;
  kernel.proc["sys/net/ipv4/tcp_tw_reuse"] = "2\n";
  kernel.proc["sys/net/ipv4/ip_local_port_range"] = "32768\t60999\n";
  kernel.proc["sys/net/ipv4/ip_local_reserved_ports"] = "1-4,10\n";
  kernel.proc["sys/net/ipv4/tcp_mem"] = "1\t2\t3\n";
  kernel.proc["sys/net/ipv4/tcp_ehash_entries"] = "-262144\n";
  const auto polled = test::poll(*test::make_collector("sysctl", kernel));
  EXPECT_TRUE(polled.result && polled.errors.empty()) << "a missing sysctl is an answer";
  const std::string prefix = "timewait_sysctl_net_ipv4_";
  const auto value = [&](const std::string& name) {
    return polled.samples.find(prefix + name + "{netns=\"self\"}");
  };
  EXPECT_EQ(value("tcp_tw_reuse"), 2);
  EXPECT_EQ(value("ip_local_port_range_min"), 32768);
  EXPECT_EQ(value("ip_local_port_range_max"), 60999);
  EXPECT_EQ(value("ip_local_reserved_ports_ports"), 5);
  EXPECT_EQ(value("tcp_mem_pressure"), 2);
  EXPECT_EQ(value("tcp_ehash_entries"), -262144);
  EXPECT_EQ(value("tcp_tw_recycle"), std::nullopt);
  EXPECT_EQ(polled.samples.find(
                "timewait_sysctl_available{netns=\"self\",sysctl=\"net.ipv4.tcp_tw_recycle\"}"),
            0);
}

TEST(Sysctl, ReportsGarbageAndKeepsTheOthers) {
  MemoryKernel kernel;
  kernel.proc["sys/net/ipv4/tcp_tw_reuse"] = "two\n";
  kernel.proc["sys/net/ipv4/tcp_mem"] = "1 2\n";
  kernel.proc["sys/net/core/somaxconn"] = "4096\n";
  const auto polled = test::poll(*test::make_collector("sysctl", kernel));
  ASSERT_EQ(polled.errors.size(), 2U);
  EXPECT_THAT(polled.errors[0].text(),
              HasSubstr("/proc/sys/net/ipv4/tcp_tw_reuse: expected a number, found \"two\""));
  EXPECT_THAT(polled.errors[1].text(), HasSubstr("expected 3 numbers, found 2"));
  EXPECT_EQ(polled.samples.find("timewait_sysctl_net_core_somaxconn{netns=\"self\"}"), 4096);
  EXPECT_EQ(polled.samples.count("timewait_sysctl_net_ipv4_tcp_mem"), 0U) << "never half of it";
}

TEST(Sysctl, TakesExtraNames) {
  MemoryKernel kernel;
  kernel.proc["sys/net/ipv4/conf/all/rp_filter"] = "1\n";
  const auto polled =
      test::poll(*test::make_collector("sysctl", kernel, "extra: [net.ipv4.conf.all.rp_filter]"));
  EXPECT_EQ(polled.samples.find("timewait_sysctl_net_ipv4_conf_all_rp_filter{netns=\"self\"}"), 1);
}

TEST(Sysctl, GivesAnExtraWithTwoNumbersItsBounds) {
  MemoryKernel kernel;
  kernel.proc["sys/net/ipv4/ping_group_range"] = "1\t0\n";
  kernel.proc["sys/net/ipv4/tcp_rmem"] = "1 2 3\n";
  const auto polled = test::poll(*test::make_collector(
      "sysctl", kernel, "extra: [net.ipv4.ping_group_range, net.ipv4.tcp_rmem]"));
  EXPECT_EQ(polled.samples.find("timewait_sysctl_net_ipv4_ping_group_range_min{netns=\"self\"}"),
            1);
  EXPECT_EQ(polled.samples.find("timewait_sysctl_net_ipv4_ping_group_range_max{netns=\"self\"}"),
            0);
  ASSERT_EQ(polled.errors.size(), 1U);
  EXPECT_THAT(polled.errors[0].text(), HasSubstr("expected 1 or 2 numbers, found 3"));
}

TEST(Sysctl, FailsWhereThereIsNoProcSysAtAll) {
  MemoryKernel kernel;
  const auto polled = test::poll(*test::make_collector("sysctl", kernel));
  ASSERT_FALSE(polled.result) << "a host without any sysctl is not a sound one";
  EXPECT_EQ(polled.result.error().reason, ErrorReason::kUnavailable);
}

TEST(Sysctl, RejectsExtraNamesThatLeaveProcSys) {
  MemoryKernel kernel;
  config::Problems problems;
  test::make_collector(
      "sysctl", kernel,
      "extra: [\"../../etc/passwd\", \"net..ipv4\", \".a\", a, net.ipv4.tcp_tw_reuse, a.b, a.b]",
      &problems);
  EXPECT_EQ(problems.size(), 6U);
}

}  // namespace
}  // namespace timewait
