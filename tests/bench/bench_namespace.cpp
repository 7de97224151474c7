#include "tests/bench/bench_namespace.h"

#include "tests/live/support/network_namespace.h"

namespace timewait::bench {

namespace {

constexpr const char* kTableSize = "net/ipv4/tcp_child_ehash_entries";

void set_up_sockets() {
  test::write_sysctl("net/ipv4/ip_local_port_range", "1024 65535");
  test::write_sysctl("net/ipv4/tcp_max_tw_buckets", "4000000");
  test::write_sysctl("net/ipv4/tcp_tw_reuse", "0");
  test::write_sysctl("net/ipv4/tcp_rfc1337", "1");  // see renew_time_wait
  test::write_sysctl("net/ipv4/tcp_no_metrics_save", "1");
}

}  // namespace

tl::expected<void, std::string> enter_bench_namespace() {
  if (const auto outer = test::enter_new_network_namespace(); !outer) return outer;
  if (test::has_sysctl(kTableSize)) {
    // It holds for namespaces that are made from here on.
    test::write_sysctl(kTableSize, "262144");
    if (const auto inner = test::enter_new_network_namespace(); !inner) return inner;
  }
  set_up_sockets();
  return {};
}

}  // namespace timewait::bench
