#include "daemon/status_page/verdict.h"

#include <algorithm>
#include <utility>

#include "collectors/model/advice_history.h"
#include "daemon/status_page/status_view.h"
#include "daemon/status_page/words.h"

namespace timewait::status_page {

namespace {

constexpr double kDangerousRatio = 0.8;
constexpr double kNotableRatio = 0.5;
/// Of the ports, with the reusable ones. While connect() takes over TIME-WAIT sockets, it stays
/// within the half that it searches first.
constexpr double kReuseRatio = 0.9;

constexpr const char* kExhausted = "TimewaitConnectPortsExhausted";
constexpr const char* kNearlyExhausted = "TimewaitConnectPortsNearlyExhausted";
constexpr const char* kBind = "TimewaitBindPortsNearlyExhausted";

using Findings = std::vector<Finding>;

Finding tell_unknown(std::string sentence, const std::string& why) {
  return {HostState::kNotKnown, std::move(sentence), "Because " + why + "."};
}

std::string describe_path(const Destination& destination) {
  return "from " + destination.local_address + " to " + destination.remote;
}

/// `27,511 of them are in TIME-WAIT`: what has most of the ports of a destination.
std::string describe_main_holder(const Destination& destination, const EphemeralRange& range) {
  constexpr std::array kNames{"TIME-WAIT", "FIN-WAIT-2", "ESTABLISHED",
                              "SYN-SENT",  "CLOSE-WAIT", "another state"};
  static_assert(kNames.size() == TupleStates::kNames.size());
  auto sockets = destination.sockets;
  sockets[0] -= std::min(sockets[0], destination.reusable.value_or(0));  // which are not taken
  const auto most = std::ranges::max_element(sockets);
  if (range.blocked() > *most) {
    return format_count(range.blocked()) + " of them are blocked by bind() or a listener.";
  }
  return format_count(*most) + (*most == 1 ? " of them is in " : " of them are in ") +
         kNames[static_cast<std::size_t>(most - sockets.begin())] + ".";
}

Finding judge_fullest(const Destination& fullest, const EphemeralRange& range) {
  const std::string taken = format_count(fullest.used) + " of " + format_count(range.capacity) +
                            " ports are taken; " + describe_main_holder(fullest, range);
  if (fullest.usage_ratio >= 1) {
    return {HostState::kFailing, "No port is left " + describe_path(fullest) + ".",
            "connect() fails there with EADDRNOTAVAIL. " + taken, kExhausted};
  }
  const std::string share =
      format_percent(fullest.usage_ratio) + " of the ports " + describe_path(fullest);
  if (fullest.usage_ratio >= kNotableRatio) {
    const bool is_dangerous = fullest.usage_ratio >= kDangerousRatio;
    return {is_dangerous ? HostState::kInDanger : HostState::kWatch, share + " are taken.",
            taken + " connect() fails when the remaining " +
                format_count(fullest.ports_left(range)) + " are taken, too.",
            kNearlyExhausted};
  }
  return {HostState::kFine, "No destination is short of ports.",
          "The fullest has " + share + " taken, " + format_count(fullest.used) + " of " +
              format_count(range.capacity) + "."};
}

/// Without a destination that could be named.
Finding judge_ratio(double ratio) {
  if (ratio >= 1) {
    return {HostState::kFailing, "No port is left for a destination.",
            "connect() fails there with EADDRNOTAVAIL.", kExhausted};
  }
  const std::string share = format_percent(ratio) + " of the ports are taken for one destination.";
  if (ratio >= kDangerousRatio) return {HostState::kInDanger, share, {}, kNearlyExhausted};
  if (ratio >= kNotableRatio) return {HostState::kWatch, share, {}, kNearlyExhausted};
  return {HostState::kFine, "No destination is short of ports.", {}};
}

Finding judge_destinations(const NamespaceView& netns) {
  if (!netns.destinations || !netns.range) {
    const std::string& why = netns.range ? netns.destinations.error() : netns.range.error();
    return tell_unknown("Whether ports run out is not known.", why);
  }
  const EphemeralRange& range = *netns.range;
  const Destinations& destinations = *netns.destinations;
  if (range.capacity == 0) {
    return {HostState::kFailing, "There are no ephemeral ports.",
            "All " + format_count(range.reserved) +
                " of the range are reserved, so that every connect() fails which does not choose "
                "its port.",
            kExhausted};
  }
  if (!destinations.worst.empty()) return judge_fullest(destinations.worst.front(), range);
  if (destinations.left_out > 0) return judge_ratio(destinations.usage_ratio_max);
  return {HostState::kFine, "No outgoing connection holds an ephemeral port.",
          "Each destination can have " + format_count(range.capacity - range.blocked()) + " of " +
              format_count(range.capacity) + "."};
}

/// Exhausted destinations beyond the first.
void judge_other_destinations(const NamespaceView& netns, Findings& findings) {
  if (!netns.destinations || !netns.range) return;
  const auto& worst = netns.destinations->worst;
  for (std::size_t i = 1; i < worst.size() && worst[i].usage_ratio >= kDangerousRatio; ++i) {
    findings.push_back(judge_fullest(worst[i], *netns.range));
  }
}

void judge_reuse(const NamespaceView& netns, Findings& findings) {
  if (!netns.destinations || !netns.range || netns.range->capacity == 0) return;
  const auto capacity = static_cast<double>(netns.range->capacity);
  for (const Destination& destination : netns.destinations->worst) {
    const std::uint64_t reusable = destination.reusable.value_or(0);
    if (reusable == 0 || destination.usage_ratio >= kDangerousRatio) continue;
    const std::uint64_t held = destination.used + reusable;
    if (static_cast<double>(held) < kReuseRatio * capacity) continue;
    findings.push_back(
        {HostState::kWatch,
         "TIME-WAIT sockets " + describe_path(destination) + " are not taken over as they should.",
         "Sockets hold " + format_count(held) + " of " + format_count(netns.range->capacity) +
             " ports. connect() may take over " + format_count(reusable) +
             " of them if that peer negotiates timestamps, and would not have gone beyond half of "
             "the ports then.",
         "TimewaitTimeWaitReuseNotHappening"});
  }
}

void judge_bind(const Fullest& fullest, Findings& findings) {
  if (fullest.usage_ratio >= 1) {
    findings.push_back({HostState::kInDanger, "No port is left to bind() on " + fullest.name + ".",
                        "bind() to port 0 fails there with EADDRINUSE, wherever the socket is to "
                        "connect to.",
                        kBind});
  } else if (fullest.usage_ratio >= kDangerousRatio) {
    findings.push_back({HostState::kWatch,
                        format_percent(fullest.usage_ratio) + " of the ports of " + fullest.name +
                            " are taken for bind() to port 0.",
                        {},
                        kBind});
  }
}

void judge_other_ratios(const NamespaceView& netns, Findings& findings) {
  const bool is_slow =
      netns.destinations && netns.destinations->preferred_usage_ratio_max.value_or(0) >= 1;
  if (is_slow && netns.destinations->usage_ratio_max < 1) {
    findings.push_back({HostState::kWatch, "connect() is slow for a destination.",
                        "The half of the ports that it tries first is taken.",
                        "TimewaitConnectPreferredPortsExhausted"});
  }
  if (netns.bind && netns.range && netns.range->capacity > 0) judge_bind(*netns.bind, findings);
  if (netns.server && netns.server->usage_ratio >= kDangerousRatio) {
    findings.push_back({HostState::kWatch,
                        format_percent(netns.server->usage_ratio) + " of the quadruplets " +
                            netns.server->name + " are in use.",
                        "That client's connects fail when its ports have run out.",
                        "TimewaitServerQuadrupletsNearlyExhausted"});
  }
}

void judge_advice(const NamespaceView& netns, Findings& findings) {
  if (!netns.advice) return;
  for (const SpokenAdvice& advice : netns.advice->spoken) {
    if (advice.severity == Severity::kInfo) continue;
    const bool is_critical = advice.severity == Severity::kCritical;
    findings.push_back(
        {is_critical ? HostState::kInDanger : HostState::kWatch, advice.meaning,
         advice.evidence.empty() ? "See the advice below." : "Found: " + advice.evidence + ".",
         advice.rule});
  }
}

/// The destination of the last one; null where it is not known.
const FailedDestination* find_latest(const ConnectFailures& failures) {
  if (failures.worst.empty()) return nullptr;
  const FailedDestination& latest = failures.worst.front();
  const bool is_recent = latest.last_age && *latest.last_age <= kRecently;
  return is_recent && !latest.local_address.empty() ? &latest : nullptr;
}

void judge_failures(const StatusView& view, Findings& findings) {
  if (!view.failures) return;
  const ConnectFailures& failures = *view.failures;
  if (failures.recent.value_or(0) == 0) return;
  std::string reason = format_count(failures.total) + " in all since the exporter started.";
  if (const FailedDestination* const latest = find_latest(failures)) {
    const bool is_elsewhere = !latest->netns.empty() && latest->netns != view.namespaces[0].name;
    reason = "The last was to " + latest->remote +
             (latest->process.empty() ? "" : ", by " + latest->process) +
             (is_elsewhere ? ", in the network namespace " + latest->netns : "") + ". " + reason;
  }
  findings.push_back({HostState::kFailing,
                      format_number_of(*failures.recent, "connect() call") +
                          " found no port in the last five minutes.",
                      std::move(reason), "TimewaitConnectFailures"});
}

void judge_namespace(const NamespaceView& netns, bool is_one_of_several, Findings& findings) {
  Findings own{judge_destinations(netns)};
  judge_other_destinations(netns, own);
  judge_reuse(netns, own);
  judge_other_ratios(netns, own);
  judge_advice(netns, own);
  for (Finding& finding : own) {
    if (is_one_of_several) finding.sentence = "In " + netns.name + ": " + finding.sentence;
    findings.push_back(std::move(finding));
  }
}

Findings find_unknown(const StatusView& view) {
  Findings unknown;
  if (!view.failures) {
    unknown.push_back(tell_unknown("Failing connects are not counted.", view.failures.error()));
  }
  for (const NamespaceView& netns : view.namespaces) {
    if (netns.advice) continue;
    unknown.push_back(tell_unknown("The advice is not known.", netns.advice.error()));
  }
  return unknown;
}

}  // namespace

Verdict judge_host(const StatusView& view) {
  Findings findings;
  for (const NamespaceView& netns : view.namespaces) {
    judge_namespace(netns, view.namespaces.size() > 1, findings);
  }
  judge_failures(view, findings);
  std::ranges::stable_sort(findings, std::ranges::greater(), &Finding::state);
  Verdict verdict;
  verdict.worst = std::move(findings.front());
  verdict.others.assign(std::make_move_iterator(findings.begin() + 1),
                        std::make_move_iterator(findings.end()));
  verdict.unknown = find_unknown(view);
  return verdict;
}

}  // namespace timewait::status_page
