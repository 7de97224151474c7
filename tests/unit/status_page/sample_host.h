#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/advice_metrics.h"
#include "collectors/connect_failures_metrics.h"
#include "collectors/model/advice_rules.h"
#include "collectors/model/tuples.h"
#include "collectors/sock_diag_metrics.h"
#include "daemon/status_page/compute_view.h"
#include "daemon/status_page/render_page.h"

namespace timewait::test {

/// A snapshot as a test wants it: what three collectors publish, and how they fare.
class SampleHost {
 public:
  static constexpr std::uint64_t kCapacity = 28'232;
  static constexpr SteadyTime kTaken{std::chrono::hours(1)};

  SampleHost() {
    for (const std::string_view name : {"sock_diag", "connect_failures", "advice"}) {
      CollectorStatus collector;
      collector.name = name;
      collector.success = true;
      collector.last_success = 1'700'000'000;
      collector.interval = std::chrono::seconds(15);
      status.collectors.push_back(collector);
    }
    status.snapshot_time = 1'700'000'000;
  }

  struct Tuple {
    std::string remote = "192.0.2.20";
    std::uint64_t used = 0;
    std::uint64_t reusable = 0;
    std::array<std::uint64_t, 6> sockets{};  ///< in the order of TupleStates::kNames
  };

  /// What sock_diag says of a namespace with these destinations.
  void add_sockets(const std::vector<Tuple>& tuples, std::string_view netns = "self",
                   std::uint64_t capacity = kCapacity) {
    using namespace sock_diag;  // NOLINT(google-build-using-namespace)
    sockets.emit(kEphemeralPorts, as_sample(capacity), {netns});
    sockets.emit(kEphemeralPortsReserved, 10, {netns});
    sockets.emit(kEphemeralPortsUnused, as_sample(capacity / 2), {netns});
    sockets.emit(kEphemeralPortsBlocked, 2, {netns, "observed"});
    sockets.emit(kEphemeralPortsBlocked, 3, {netns, "inferred"});
    sockets.emit(kTimeWaitSockets, 12'168, {netns, "client"});
    sockets.emit(kTimeWaitSockets, 7, {netns, "server"});
    for (const char* within : {"5", "15", "30", "60"}) {
      sockets.emit(kTimeWaitExpiring, 200 * std::stod(within), {netns, within});
    }
    double highest = 0;
    for (const Tuple& tuple : tuples) {
      const double ratio = as_sample(tuple.used) / as_sample(capacity);
      highest = std::max(highest, ratio);
      const std::string_view remote = tuple.remote;
      sockets.emit(kConnectPortsUsed, as_sample(tuple.used), {netns, "192.0.2.10", remote, "80"});
      sockets.emit(kConnectPortsReusable, as_sample(tuple.reusable),
                   {netns, "192.0.2.10", remote, "80"});
      sockets.emit(kConnectPortsUsageRatio, ratio, {netns, "192.0.2.10", remote, "80"});
      for (std::size_t i = 0; i < tuple.sockets.size(); ++i) {
        sockets.emit(kConnectSockets, as_sample(tuple.sockets[i]),
                     {netns, "192.0.2.10", remote, "80", TupleStates::kNames[i]});
      }
    }
    sockets.emit(kConnectUsageRatioMax, highest, {netns});
    sockets.emit(kConnectTuples, as_sample(tuples.size()), {netns});
  }

  /// What connect_failures says while all is counted.
  void add_failures(std::uint64_t total) {
    connects.emit(connect_failures::kAvailable, 1);
    connects.emit(connect_failures::kTotal, as_sample(total));
    connects.emit(connect_failures::kLost, 0);
  }
  void add_failed(std::string_view remote, std::string_view process, std::uint64_t count) {
    connects.emit(connect_failures::kByDestination, as_sample(count),
                  {"self", "192.0.2.10", remote, "80", process});
  }

  /// Every rule is judged, and this one speaks; none where it is empty.
  void add_advice(std::string_view speaks = {}, std::string_view netns = "self") {
    for (const AdviceRule& rule : advice_rules()) {
      rules.emit(advice::kAdvice, rule.name == speaks ? 1 : 0,
                 {netns, rule.name, to_string(rule.severity)});
      if (rule.name == speaks) given.push_back({rule.name, rule.severity, "the evidence", {}});
    }
  }

  /// A host on which nothing is wrong.
  void add_calm() {
    add_sockets({});
    add_failures(0);
    add_advice();
  }

  CollectorStatus& collector(std::string_view name) {
    for (CollectorStatus& each : status.collectors) {
      if (each.name == name) return each;
    }
    return status.collectors.emplace_back();
  }

  void fail(std::string_view name, std::string why) {
    collector(name).success = false;
    collector(name).last_error = std::move(why);
  }

  /// Uses up what has been added.
  status_page::StatusView view() {
    const MetricFamilies socket_families = sockets.take();
    const MetricFamilies connect_families = connects.take();
    const MetricFamilies rule_families = rules.take();
    const std::vector<CollectorFamilies> collectors{{"sock_diag", &socket_families},
                                                    {"connect_failures", &connect_families},
                                                    {"advice", &rule_families, given}};
    failures.see(kTaken, status_page::PublishedFigures(collectors));
    return status_page::compute_view({.taken = kTaken,
                                      .collectors = collectors,
                                      .status = status,
                                      .failures = failures,
                                      .interval = std::chrono::seconds(15),
                                      .telemetry_path = telemetry_path});
  }
  std::string page() { return status_page::render_page(view()).html; }

  MetricBuilder sockets;
  MetricBuilder connects;
  MetricBuilder rules;
  std::vector<Advice> given;
  PollStatus status;
  status_page::RecentFailures failures;
  std::string telemetry_path = "/metrics";
};

}  // namespace timewait::test
