#include <string>

#include <gtest/gtest.h>

#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"

namespace timewait::test {
namespace {

std::string sysctl(const std::string& name) { return of_self("timewait_sysctl_" + name); }

std::string available(const std::string& name) {
  return of_self("timewait_sysctl_available", "sysctl=\"" + name + "\"");
}

class Sysctls : public NetworkNamespaceTest {};

TEST_F(Sysctls, AreThoseSetInTheNamespace) {
  write_sysctl("net/ipv4/ip_local_port_range", "41000 41999");
  write_sysctl("net/ipv4/ip_local_reserved_ports", "41000-41009,41500,8080");
  write_sysctl("net/ipv4/tcp_tw_reuse", "1");
  write_sysctl("net/ipv4/tcp_fin_timeout", "17");
  write_sysctl("net/ipv4/tcp_max_tw_buckets", "1234");
  write_sysctl("net/ipv4/tcp_timestamps", "0");
  write_sysctl("net/ipv4/tcp_rfc1337", "1");
  write_sysctl("net/ipv4/tcp_max_syn_backlog", "321");
  write_sysctl("net/core/somaxconn", "77");
  const Samples samples = scrape({"sysctl"});
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_ip_local_port_range_min"), 41000));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_ip_local_port_range_max"), 41999));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_ip_local_reserved_ports_ports"), 12));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_tcp_tw_reuse"), 1));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_tcp_fin_timeout"), 17));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_tcp_max_tw_buckets"), 1234));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_tcp_timestamps"), 0));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_tcp_rfc1337"), 1));
  EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_tcp_max_syn_backlog"), 321));
  EXPECT_TRUE(has_value(samples, sysctl("net_core_somaxconn"), 77));
}

TEST_F(Sysctls, OfTheWholeHostAreUnavailableInAChildNamespace) {
  const Samples samples = scrape({"sysctl"});
  EXPECT_TRUE(has_value(samples, available("net.ipv4.tcp_mem"), 0));
  EXPECT_TRUE(has_value(samples, available("net.ipv4.tcp_max_orphans"), 0));
  EXPECT_EQ(samples.count("timewait_sysctl_net_ipv4_tcp_mem"), 0U);
  EXPECT_EQ(samples.count("timewait_sysctl_net_ipv4_tcp_max_orphans"), 0U);
}

TEST_F(Sysctls, AreAvailableExactlyWhereTheKernelHasTheirFile) {
  const Samples samples = scrape({"sysctl"});
  for (const std::string name :
       {"tcp_tw_reuse", "tcp_tw_recycle", "tcp_tw_reuse_delay", "tcp_max_tw_buckets",
        "tcp_fin_timeout", "tcp_timestamps", "tcp_rfc1337", "ip_local_port_step_width",
        "ip_unprivileged_port_start", "ip_autobind_reuse", "tcp_ehash_entries",
        "tcp_child_ehash_entries", "tcp_l3mdev_accept", "tcp_max_syn_backlog", "tcp_syncookies",
        "tcp_abort_on_overflow", "tcp_orphan_retries", "tcp_invalid_ratelimit"}) {
    const bool is_there = has_sysctl("net/ipv4/" + name);
    EXPECT_TRUE(has_value(samples, available("net.ipv4." + name), is_there ? 1 : 0));
    if (is_there) {
      EXPECT_TRUE(has_value(samples, sysctl("net_ipv4_" + name),
                            std::stod(read_sysctl("net/ipv4/" + name))));
    } else {
      EXPECT_EQ(samples.find(sysctl("net_ipv4_" + name)), std::nullopt);
    }
  }
}

}  // namespace
}  // namespace timewait::test
