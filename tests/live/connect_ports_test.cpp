#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/port_mix.h"
#include "tests/live/support/random_port_mixes.h"

// What the exporter says of the ports that are left to connect(), and what the kernel gives when it
// is asked until it refuses.

namespace timewait::test {
namespace {

using Count = std::ptrdiff_t;

Count count_of(const Samples& samples, const std::string& name, const std::string& labels = "") {
  return static_cast<Count>(value_of(samples, of_self(name, labels)));
}

/// Capacity ports.
struct Ports {
  Count capacity;
  Count unused;
  Count observed;
  Count inferred;

  explicit Ports(const Samples& samples)
      : capacity(count_of(samples, "timewait_ephemeral_ports")),
        unused(count_of(samples, "timewait_ephemeral_ports_unused")),
        observed(count_of(samples, "timewait_ephemeral_ports_blocked", R"(evidence="observed")")),
        inferred(count_of(samples, "timewait_ephemeral_ports_blocked", R"(evidence="inferred")")) {}
};

/// What the exporter takes to be free. A tuple without sockets has no series of its own.
Count estimate_free(const Samples& samples, const Ports& ports, const Tuple& tuple) {
  const auto used = samples.find(of_self("timewait_connect_ports_used", tuple.labels()));
  return ports.capacity - (used ? static_cast<Count>(*used) : ports.observed + ports.inferred);
}

double highest_ratio(const Samples& samples) {
  double highest = 0;
  for (const auto& [series, value] : samples.all()) {
    if (series.starts_with("timewait_connect_ports_usage_ratio{")) {
      highest = std::max(highest, value);
    }
  }
  return highest;
}

Count sockets_of(const Samples& samples, const Tuple& tuple) {
  Count sum = 0;
  for (const std::string state :
       {"time_wait", "fin_wait2", "established", "syn_sent", "close_wait", "other"}) {
    sum += static_cast<Count>(
        samples
            .find(of_self("timewait_connect_sockets", tuple.labels() + ",state=\"" + state + "\""))
            .value_or(0));
  }
  return sum;
}

void expect_consistent_series(const Samples& samples, const Ports& ports, const Tuple& tuple) {
  const auto used = samples.find(of_self("timewait_connect_ports_used", tuple.labels()));
  if (!used) return;
  EXPECT_DOUBLE_EQ(value_of(samples, of_self("timewait_connect_ports_usage_ratio", tuple.labels())),
                   *used / static_cast<double>(ports.capacity));
}

void judge_connects(PortMix& mix, const Tuple& tuple) {
  SCOPED_TRACE(tuple.labels());
  const Samples samples = scrape({"sock_diag"}, kShowAll);
  const Ports ports(samples);
  EXPECT_EQ(ports.capacity, static_cast<Count>(mix.capacity()));
  EXPECT_EQ(ports.observed, static_cast<Count>(mix.visibly_blocked_ports().size()));
  EXPECT_TRUE(has_value(samples, of_self("timewait_connect_ports_usage_ratio_max"),
                        highest_ratio(samples)));
  EXPECT_GE(sockets_of(samples, tuple), static_cast<Count>(mix.connect_side_sockets(tuple)));
  EXPECT_LE(sockets_of(samples, tuple), static_cast<Count>(mix.sockets(tuple)));
  expect_consistent_series(samples, ports, tuple);
  const Count free = estimate_free(samples, ports, tuple);
  const auto taken = static_cast<Count>(mix.taken_ports(tuple).size());

  const auto succeeded = static_cast<Count>(mix.count_connects(tuple));
  EXPECT_GE(succeeded, ports.unused) << "unused ports were not free";
  EXPECT_LE(succeeded, ports.capacity - taken) << "ports that were seen to be taken were free";
  std::cout << "; " << succeeded << " free, error " << free - succeeded;
  if (mix.parity_holds()) {
    EXPECT_EQ(free, succeeded) << "the estimate has to be exact";
  }
}

using ConnectPorts = RandomPortMixes;

TEST_F(ConnectPorts, AreThoseThatTheKernelFindsInRandomMixes) {
  judge_mixes([](PortMix& mix) {
    EXPECT_TRUE(mix.parity_holds() || mix.kind() == PortMix::Kind::kUnruly);
    for (const Tuple& tuple : mix.tuples()) judge_connects(mix, tuple);
  });
}

}  // namespace
}  // namespace timewait::test
