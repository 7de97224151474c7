#include "collectors/model/advice_rules.h"

#include <array>
#include <utility>

#include "collectors/model/advice_history.h"
#include "collectors/model/socket.h"

namespace timewait {

namespace {

using Judgement = std::optional<Verdict>;

/// From so many TIME-WAIT sockets on their sides are worth a comparison.
constexpr std::uint64_t kComparableTimeWait = 100;
/// Fewer client sockets among the TIME-WAIT than this share: the host is a server alone.
constexpr double kServerOnlyClientShare = 0.01;
/// Below this share of the default's ports the reserved ones have taken too many.
constexpr double kNarrowShare = 0.9;
/// connect() has filled the half of the range that it prefers, and searches from here on.
constexpr double kHighUsageRatio = 0.5;
/// 10000-65535: a wider range gains little, so the remedy is another one.
constexpr std::uint64_t kAmplePorts = 55'536;
constexpr double kManyBlockedShare = 0.1;
constexpr double kNearLimitShare = 0.8;
/// From so many on a RST that ends TIME-WAIT early is more than a curiosity.
constexpr std::uint64_t kConsiderableTimeWait = 1'000;
/// A program that closes with SO_LINGER 0 does so every time; single resets have other causes too.
constexpr std::uint64_t kFewResets = 10;
constexpr double kResetShare = 0.1;

Verdict silent() { return {}; }

Verdict speak_if(bool speaks, std::string evidence) {
  return speaks ? Verdict{std::move(evidence)} : silent();
}

bool is_share(std::uint64_t part, double share, std::uint64_t whole) {
  return static_cast<double>(part) >= share * static_cast<double>(whole);
}

std::string text(std::uint64_t number) { return std::to_string(number); }

std::string sysctl_is(std::string_view name, std::int64_t value) {
  return "net.ipv4." + std::string(name) + " is " + std::to_string(value);
}

std::string text(const PortRange& range) {
  return std::to_string(range.low) + "-" + std::to_string(range.high);
}

std::string in_percent(double ratio) {
  return std::to_string(static_cast<std::uint64_t>(ratio * 100)) + " %";
}

const PortFindings* find_ports(const AdviceFigures& figures) {
  return figures.sockets && figures.sockets->ports ? &*figures.sockets->ports : nullptr;
}

Judgement judge_tw_recycle(const AdviceFigures& figures) {
  if (!figures.tcp_tw_recycle) return std::nullopt;
  return speak_if(*figures.tcp_tw_recycle != 0,
                  sysctl_is("tcp_tw_recycle", *figures.tcp_tw_recycle));
}

Judgement judge_tw_reuse_without_timestamps(const AdviceFigures& figures) {
  if (!figures.tcp_tw_reuse || !figures.tcp_timestamps) return std::nullopt;
  // 2 is the kernel's default, so it is nobody's choice.
  return speak_if(*figures.tcp_tw_reuse == 1 && *figures.tcp_timestamps == 0,
                  sysctl_is("tcp_tw_reuse", 1) + ", but " + sysctl_is("tcp_timestamps", 0));
}

Judgement judge_tw_reuse_on_server_only(const AdviceFigures& figures) {
  if (!figures.tcp_tw_reuse || !figures.sockets) return std::nullopt;
  const std::uint64_t client = figures.sockets->time_wait_client;
  const std::uint64_t all = client + figures.sockets->time_wait_server;
  const bool is_server_only =
      all >= kComparableTimeWait && !is_share(client, kServerOnlyClientShare, all);
  return speak_if(*figures.tcp_tw_reuse == 1 && is_server_only,
                  sysctl_is("tcp_tw_reuse", 1) + ", but of " + text(all) +
                      " TIME-WAIT sockets only " + text(client) + " are of outgoing connections");
}

Judgement judge_range_narrow(const AdviceFigures& figures) {
  if (!figures.port_range || !figures.port_capacity) return std::nullopt;
  const std::uint64_t range = figures.port_range->high - figures.port_range->low + 1U;
  const std::uint64_t capacity = *figures.port_capacity;
  const std::string found = text(capacity) + " ports in net.ipv4.ip_local_port_range " +
                            text(*figures.port_range) + " are not reserved";
  if (range < kDefaultEphemeralPorts || !is_share(capacity, kNarrowShare, kDefaultEphemeralPorts)) {
    return Verdict{found + "; the kernel's default has " + text(kDefaultEphemeralPorts)};
  }
  const PortFindings* const ports = find_ports(figures);
  if (ports == nullptr) return std::nullopt;
  const double usage = ports->connect_usage_ratio_max;
  return speak_if(usage >= kHighUsageRatio && range < kAmplePorts,
                  found + ", and " + in_percent(usage) + " of them are taken for one destination");
}

Judgement judge_listener_inside_range(const AdviceFigures& figures) {
  const PortFindings* const ports = find_ports(figures);
  if (ports == nullptr) return std::nullopt;
  std::string evidence = text(ports->with_listener) + " of " + text(ports->capacity) +
                         " ephemeral ports have a listening socket";
  if (ports->lowest_with_listener) evidence += ", the lowest " + text(*ports->lowest_with_listener);
  return speak_if(ports->with_listener > 0, std::move(evidence));
}

Judgement judge_blocked_by_bind(const AdviceFigures& figures) {
  const PortFindings* const ports = find_ports(figures);
  if (ports == nullptr) return std::nullopt;
  const std::uint64_t blocked = ports->blocked_observed + ports->blocked_inferred;
  return speak_if(blocked > 0 && is_share(blocked, kManyBlockedShare, ports->capacity),
                  text(blocked) + " of " + text(ports->capacity) +
                      " ephemeral ports are blocked for every connect(), " +
                      text(ports->blocked_observed) + " observed and " +
                      text(ports->blocked_inferred) + " inferred");
}

Judgement judge_bucket_limit_near(const AdviceFigures& figures) {
  if (!figures.time_wait || !figures.tcp_max_tw_buckets) return std::nullopt;
  const auto limit = static_cast<double>(*figures.tcp_max_tw_buckets);
  const bool is_near = static_cast<double>(*figures.time_wait) >= kNearLimitShare * limit;
  // Without the counter nearness is still certain, but its absence is no all-clear.
  if (!is_near && !figures.time_wait_overflows) return std::nullopt;
  const std::uint64_t overflows = figures.time_wait_overflows.value_or(0);
  std::string evidence = text(*figures.time_wait) + " TIME-WAIT sockets of at most " +
                         std::to_string(*figures.tcp_max_tw_buckets) +
                         " (net.ipv4.tcp_max_tw_buckets)";
  if (overflows > 0) {
    evidence += ", and " + text(overflows) + " closes without one of late (TCPTimeWaitOverflow)";
  }
  return speak_if(is_near || overflows > 0, std::move(evidence));
}

Judgement judge_bucket_limit_low(const AdviceFigures& figures) {
  if (!figures.tcp_max_tw_buckets || !figures.port_capacity) return std::nullopt;
  const std::int64_t limit = *figures.tcp_max_tw_buckets;
  return speak_if(limit < static_cast<std::int64_t>(*figures.port_capacity),
                  sysctl_is("tcp_max_tw_buckets", limit) + ", below the " +
                      text(*figures.port_capacity) +
                      " ephemeral ports that one destination can fill");
}

Judgement judge_rfc1337_off(const AdviceFigures& figures) {
  if (!figures.tcp_rfc1337 || !figures.time_wait) return std::nullopt;
  return speak_if(*figures.tcp_rfc1337 == 0 && *figures.time_wait >= kConsiderableTimeWait,
                  sysctl_is("tcp_rfc1337", 0) + ": a RST ends any of " + text(*figures.time_wait) +
                      " TIME-WAIT sockets early");
}

Judgement judge_fin_timeout(const AdviceFigures& figures) {
  if (!figures.tcp_fin_timeout) return std::nullopt;
  return speak_if(*figures.tcp_fin_timeout < kTimeWaitLength.count(),
                  sysctl_is("tcp_fin_timeout", *figures.tcp_fin_timeout) +
                      " seconds, which is for FIN-WAIT-2; TIME-WAIT lasts " +
                      std::to_string(kTimeWaitLength.count()) + " all the same");
}

Judgement judge_close_wait(const AdviceFigures& figures) {
  if (!figures.sockets) return std::nullopt;
  const auto minutes =
      std::chrono::duration_cast<std::chrono::minutes>(figures.many_close_wait_for);
  return speak_if(figures.many_close_wait_for >= kRecently,
                  text(figures.sockets->close_wait) + " sockets in CLOSE-WAIT, and at least " +
                      text(kManyCloseWait) + " for " + std::to_string(minutes.count()) +
                      " minutes");
}

Judgement judge_linger_resets(const AdviceFigures& figures) {
  if (!figures.aborts_on_linger || !figures.aborts_on_data || !figures.time_wait_entries) {
    return std::nullopt;
  }
  const std::uint64_t on_data = *figures.aborts_on_data;
  // SO_LINGER 0 is counted here (tcp_close), and so is data that comes after a close.
  const bool are_many =
      on_data >= kFewResets && is_share(on_data, kResetShare, on_data + *figures.time_wait_entries);
  return speak_if(*figures.aborts_on_linger > 0 || are_many,
                  text(on_data) + " resets at or after a close (TCPAbortOnData) and " +
                      text(*figures.aborts_on_linger) +
                      " in FIN-WAIT-2 (TCPAbortOnLinger) of late, "
                      "beside " +
                      text(*figures.time_wait_entries) + " closes into TIME-WAIT");
}

constexpr std::array kRules{
    AdviceRule{
        "tcp_tw_recycle_enabled", Severity::kCritical,
        "Clients behind one NAT address are refused at random, because tcp_tw_recycle is on.",
        judge_tw_recycle},
    AdviceRule{"tcp_tw_reuse_without_timestamps", Severity::kWarning,
               "TIME-WAIT sockets are never reused, although tcp_tw_reuse asks for it: timestamps "
               "are off.",
               judge_tw_reuse_without_timestamps},
    AdviceRule{"tcp_tw_reuse_enabled_on_server_only", Severity::kInfo,
               "tcp_tw_reuse does nothing here, where nearly all TIME-WAIT sockets belong to "
               "accepted connections.",
               judge_tw_reuse_on_server_only},
    AdviceRule{"ephemeral_range_narrow", Severity::kInfo,
               "One destination can be given fewer ports than a wider ephemeral range would offer.",
               judge_range_narrow},
    AdviceRule{"listener_inside_ephemeral_range", Severity::kWarning,
               "A service listens inside the ephemeral range; while it restarts, a connection may "
               "take its port.",
               judge_listener_inside_range},
    AdviceRule{"ephemeral_ports_blocked_by_bind", Severity::kWarning,
               "Ports that bind() has taken are lost to every destination.", judge_blocked_by_bind},
    AdviceRule{"time_wait_bucket_limit_near", Severity::kWarning,
               "TIME-WAIT sockets are near their limit, beyond which connections close without "
               "that protection.",
               judge_bucket_limit_near},
    AdviceRule{"time_wait_bucket_limit_low", Severity::kInfo,
               "One busy destination is enough to fill the table of TIME-WAIT sockets.",
               judge_bucket_limit_low},
    AdviceRule{"tcp_rfc1337_off_reset_risk", Severity::kInfo,
               "A stray RST can end TIME-WAIT early.", judge_rfc1337_off},
    AdviceRule{"fin_timeout_does_not_shorten_time_wait", Severity::kInfo,
               "tcp_fin_timeout has been lowered, which does not shorten TIME-WAIT.",
               judge_fin_timeout},
    AdviceRule{"close_wait_accumulating", Severity::kWarning,
               "A program does not close connections that its peers have closed.",
               judge_close_wait},
    AdviceRule{"linger_resets", Severity::kInfo,
               "Connections are ended by a reset, so that data may be lost.", judge_linger_resets},
};

}  // namespace

std::span<const AdviceRule> advice_rules() { return kRules; }

}  // namespace timewait
