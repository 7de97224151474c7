#include "daemon/status_page/compute_view.h"

#include <algorithm>
#include <utility>

#include "collectors/advice_metrics.h"
#include "collectors/connect_failures_metrics.h"
#include "collectors/model/advice_rules.h"
#include "collectors/registry.h"
#include "collectors/sock_diag_metrics.h"
#include "daemon/status_page/words.h"

namespace timewait::status_page {

namespace {

using Label = PublishedFigures::Label;
using Sample = prometheus::ClientMetric;

/// The namespace that the daemon runs in.
constexpr std::string_view kOwnNamespace = "self";

std::uint64_t to_count(double value) { return static_cast<std::uint64_t>(value); }

std::optional<std::uint64_t> to_count(std::optional<double> value) {
  return value ? std::optional(to_count(*value)) : std::nullopt;
}

/// Why a family of that collector is absent.
std::string explain_absence(const PollStatus& status, std::string_view collector) {
  const std::string name = "the collector " + std::string(collector);
  const auto found = std::ranges::find(status.collectors, collector, &CollectorStatus::name);
  if (found == status.collectors.end()) return name + " is switched off";
  if (!found->success) return name + " failed: " + found->last_error;
  return "this kernel does not tell it";
}

/// What a view of one namespace is computed from.
class NamespaceFigures {
 public:
  NamespaceFigures(const ViewSources& sources, std::string_view netns)
      : status_(sources.status), figures_(sources.collectors), netns_(netns) {}

  std::string_view netns() const { return netns_; }
  std::optional<double> find(std::string_view family) const {
    return figures_.find(family, {{"netns", netns_}});
  }
  std::optional<double> find(std::string_view family, Label label) const {
    return figures_.find(family, {{"netns", netns_}, label});
  }
  std::uint64_t count(std::string_view family) const { return to_count(find(family).value_or(0)); }
  std::uint64_t count(std::string_view family, Label label) const {
    return to_count(find(family, label).value_or(0));
  }
  /// The samples of this namespace.
  std::vector<const Sample*> samples(std::string_view family) const {
    std::vector<const Sample*> found;
    for (const Sample& sample : figures_.samples(family)) {
      if (label_of(sample, "netns") == netns_) found.push_back(&sample);
    }
    return found;
  }
  tl::unexpected<std::string> unknown(std::string_view collector) const {
    return tl::make_unexpected(explain_absence(status_, collector));
  }

 private:
  const PollStatus& status_;
  PublishedFigures figures_;
  std::string_view netns_;
};

Known<EphemeralRange> compute_range(const NamespaceFigures& figures) {
  const auto capacity = figures.find(sock_diag::kEphemeralPorts.name());
  if (!capacity) return figures.unknown("sock_diag");
  constexpr std::string_view kRange = "timewait_sysctl_net_ipv4_ip_local_port_range";
  const std::string_view blocked = sock_diag::kEphemeralPortsBlocked.name();
  return EphemeralRange{
      .lowest = to_count(figures.find(std::string(kRange) + "_min")),
      .highest = to_count(figures.find(std::string(kRange) + "_max")),
      .capacity = to_count(*capacity),
      .reserved = figures.count(sock_diag::kEphemeralPortsReserved.name()),
      .unused = figures.count(sock_diag::kEphemeralPortsUnused.name()),
      .blocked_observed = figures.count(blocked, {"evidence", "observed"}),
      .blocked_inferred = figures.count(blocked, {"evidence", "inferred"}),
  };
}

bool is_of_same_tuple(const Sample& left, const Sample& right) {
  return std::ranges::all_of(
      std::array{"remote_address", "remote_port", "local_address"},
      [&](std::string_view name) { return label_of(left, name) == label_of(right, name); });
}

Destination compute_destination(const Sample& ratio, const NamespaceFigures& figures) {
  Destination destination{
      .local_address = std::string(label_of(ratio, "local_address")),
      .remote = format_endpoint(label_of(ratio, "remote_address"), label_of(ratio, "remote_port")),
      .usage_ratio = value_of(ratio),
  };
  for (const Sample* sample : figures.samples(sock_diag::kConnectPortsUsed.name())) {
    if (is_of_same_tuple(*sample, ratio)) destination.used = to_count(value_of(*sample));
  }
  for (const Sample* sample : figures.samples(sock_diag::kConnectPortsReusable.name())) {
    if (is_of_same_tuple(*sample, ratio)) destination.reusable = to_count(value_of(*sample));
  }
  for (const Sample* sample : figures.samples(sock_diag::kConnectSockets.name())) {
    if (!is_of_same_tuple(*sample, ratio)) continue;
    const auto* const state = std::ranges::find(TupleStates::kNames, label_of(*sample, "state"));
    if (state == TupleStates::kNames.end()) continue;
    destination.sockets[static_cast<std::size_t>(state - TupleStates::kNames.begin())] =
        to_count(value_of(*sample));
  }
  return destination;
}

Known<Destinations> compute_destinations(const NamespaceFigures& figures) {
  const auto ratio_max = figures.find(sock_diag::kConnectUsageRatioMax.name());
  if (!ratio_max) return figures.unknown("sock_diag");
  auto ratios = figures.samples(sock_diag::kConnectPortsUsageRatio.name());
  std::ranges::stable_sort(ratios, std::ranges::greater(),
                           [](const Sample* sample) { return value_of(*sample); });
  if (ratios.size() > kMostDestinations) ratios.resize(kMostDestinations);

  Destinations destinations;
  for (const Sample* ratio : ratios) {
    destinations.worst.push_back(compute_destination(*ratio, figures));
  }
  const std::uint64_t tuples = figures.count(sock_diag::kConnectTuples.name());
  destinations.left_out = tuples - std::min<std::uint64_t>(tuples, ratios.size());
  destinations.usage_ratio_max = *ratio_max;
  destinations.preferred_usage_ratio_max =
      figures.find(sock_diag::kConnectPreferredRatioMax.name());
  return destinations;
}

Known<TimeWaits> compute_time_waits(const NamespaceFigures& figures) {
  const std::string_view family = sock_diag::kTimeWaitSockets.name();
  const auto client = figures.find(family, {"role", "client"});
  if (!client) return figures.unknown("sock_diag");
  TimeWaits waits{.client = to_count(*client), .server = figures.count(family, {"role", "server"})};
  for (std::size_t i = 0; i < waits.ending->size(); ++i) {
    const std::string within = std::to_string(TimeWaitCounts::kWithin[i].count());
    const auto ending =
        figures.find(sock_diag::kTimeWaitExpiring.name(), {"within_seconds", within});
    if (!ending) {
      waits.ending = figures.unknown("sock_diag");
      break;
    }
    (*waits.ending)[i] = to_count(*ending);
  }
  return waits;
}

/// The sample of the highest value.
const Sample* find_highest(const NamespaceFigures& figures, std::string_view family) {
  const auto samples = figures.samples(family);
  const auto highest =
      std::ranges::max_element(samples, {}, [](const Sample* sample) { return value_of(*sample); });
  return highest == samples.end() ? nullptr : *highest;
}

std::optional<Fullest> compute_fullest_bind(const NamespaceFigures& figures) {
  const Sample* const fullest = find_highest(figures, sock_diag::kBindPortsUsageRatio.name());
  if (fullest == nullptr) return std::nullopt;
  const std::string local(label_of(*fullest, "local_address"));
  const bool is_wildcard = local == "0.0.0.0" || local == "::";
  return Fullest{is_wildcard ? local + " (any address)" : local, value_of(*fullest)};
}

std::optional<Fullest> compute_fullest_server(const NamespaceFigures& figures) {
  const Sample* const fullest = find_highest(figures, sock_diag::kServerPortsUsageRatio.name());
  if (fullest == nullptr) return std::nullopt;
  return Fullest{
      "from " + std::string(label_of(*fullest, "remote_address")) + " to " +
          format_endpoint(label_of(*fullest, "local_address"), label_of(*fullest, "local_port")),
      value_of(*fullest)};
}

std::string find_evidence(const ViewSources& sources, std::string_view rule) {
  for (const CollectorFamilies& collector : sources.collectors) {
    const auto given = std::ranges::find(collector.advice, rule, &Advice::rule);
    if (given != collector.advice.end()) return given->evidence;
  }
  return {};
}

Known<AdviceOfRules> compute_advice(const NamespaceFigures& figures, const ViewSources& sources) {
  const auto samples = figures.samples(advice::kAdvice.name());
  if (samples.empty()) return figures.unknown("advice");
  AdviceOfRules advice;
  for (const AdviceRule& rule : advice_rules()) {
    const auto found = std::ranges::find(
        samples, rule.name, [](const Sample* sample) { return label_of(*sample, "rule"); });
    if (found == samples.end()) {
      advice.unjudged.emplace_back(rule.name);
    } else if (value_of(**found) != 0) {
      advice.spoken.push_back({.rule = std::string(rule.name),
                               .severity = rule.severity,
                               .meaning = std::string(rule.meaning),
                               .evidence = find_evidence(sources, rule.name)});
    }
  }
  std::ranges::stable_sort(advice.spoken, std::ranges::greater(), &SpokenAdvice::severity);
  return advice;
}

NamespaceView compute_namespace(const ViewSources& sources, std::string_view netns) {
  const NamespaceFigures figures(sources, netns);
  return {.name = std::string(netns),
          .range = compute_range(figures),
          .destinations = compute_destinations(figures),
          .time_waits = compute_time_waits(figures),
          .bind = compute_fullest_bind(figures),
          .server = compute_fullest_server(figures),
          .advice = compute_advice(figures, sources)};
}

std::vector<NamespaceView> compute_namespaces(const ViewSources& sources) {
  const PublishedFigures figures(sources.collectors);
  std::vector<std::string_view> names{kOwnNamespace};
  for (const std::string_view family :
       {sock_diag::kConnectUsageRatioMax.name(), sock_diag::kTimeWaitSockets.name(),
        advice::kAdvice.name()}) {
    for (const Sample& sample : figures.samples(family)) {
      const std::string_view netns = label_of(sample, "netns");
      if (std::ranges::find(names, netns) == names.end()) names.push_back(netns);
    }
  }
  std::vector<NamespaceView> namespaces;
  namespaces.reserve(names.size());
  for (const std::string_view name : names) {
    namespaces.push_back(compute_namespace(sources, name));
  }
  if (namespaces.size() == 1) return namespaces;
  // Evidence does not say of which namespace it is.
  for (NamespaceView& each : namespaces) {
    if (!each.advice) continue;
    for (SpokenAdvice& spoken : each.advice->spoken) spoken.evidence.clear();
  }
  return namespaces;
}

FailedDestination compute_failed(const Sample& series, const ViewSources& sources) {
  const auto last = sources.failures.last(series);
  const std::string_view remote = label_of(series, "remote_address");
  const bool is_other = remote == connect_failures::kOtherDestinations;
  return {.netns = std::string(label_of(series, "netns")),
          .local_address = std::string(label_of(series, "local_address")),
          .remote = is_other ? std::string("other destinations")
                             : format_endpoint(remote, label_of(series, "remote_port")),
          .process = std::string(label_of(series, "process")),
          .count = to_count(value_of(series)),
          .last_age = last ? std::optional(sources.taken - *last) : std::nullopt};
}

/// The latest first, and of these those with the most failures.
bool matters_more(const FailedDestination& left, const FailedDestination& right) {
  constexpr auto kLong = std::chrono::duration<double>::max();
  const auto left_age = left.last_age.value_or(kLong);
  const auto right_age = right.last_age.value_or(kLong);
  return left_age != right_age ? left_age < right_age : left.count > right.count;
}

Known<ConnectFailures> compute_failures(const ViewSources& sources) {
  const PublishedFigures figures(sources.collectors);
  const auto total = figures.find(connect_failures::kTotal.name());
  if (!total) {
    return tl::make_unexpected(explain_absence(sources.status, "connect_failures"));
  }
  ConnectFailures failures{
      .covers_all = figures.find(connect_failures::kAvailable.name()).value_or(0) != 0,
      .total = to_count(*total),
      .lost = to_count(figures.find(connect_failures::kLost.name()).value_or(0)),
      .recent = sources.failures.rise()};
  for (const Sample& series : figures.samples(connect_failures::kByDestination.name())) {
    if (value_of(series) > 0) failures.worst.push_back(compute_failed(series, sources));
  }
  std::ranges::stable_sort(failures.worst, matters_more);
  if (failures.worst.size() > kMostFailures) {
    failures.left_out = failures.worst.size() - kMostFailures;
    failures.worst.resize(kMostFailures);
  }
  return failures;
}

CollectorView compute_collector(const CollectorStatus& status, double now) {
  CollectorView view{.name = std::string(status.name),
                     .success = status.success,
                     .error = status.last_error,
                     .interval = status.interval};
  if (status.last_success) {
    view.last_success_age = std::chrono::duration<double>(now - *status.last_success);
  }
  return view;
}

std::vector<std::string> find_collectors_off(const PollStatus& status) {
  std::vector<std::string> off;
  for (const CollectorEntry* entry : all_collectors()) {
    const auto found = std::ranges::find(status.collectors, entry->name, &CollectorStatus::name);
    if (found == status.collectors.end()) off.emplace_back(entry->name);
  }
  return off;
}

}  // namespace

StatusView compute_view(const ViewSources& sources) {
  StatusView view;
  view.namespaces = compute_namespaces(sources);
  view.failures = compute_failures(sources);
  for (const CollectorStatus& status : sources.status.collectors) {
    view.collectors.push_back(compute_collector(status, sources.status.snapshot_time));
  }
  view.collectors_off = find_collectors_off(sources.status);
  view.last_config_was_good = sources.status.last_config_was_good;
  view.taken = sources.status.snapshot_time;
  view.interval = sources.interval;
  view.telemetry_path = sources.telemetry_path;
  view.verdict = judge_host(view);
  return view;
}

}  // namespace timewait::status_page
