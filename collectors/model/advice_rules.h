#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/findings.h"
#include "collectors/model/ephemeral_ports.h"

namespace timewait {

/// So many CLOSE-WAIT sockets, poll after poll, are connections that nobody closes.
inline constexpr std::uint64_t kManyCloseWait = 100;

/// What the rules judge, each absent where its source is.
struct AdviceFigures {
  // Sysctls below net.ipv4.
  std::optional<std::int64_t> tcp_tw_recycle;  ///< 0 on a kernel that no longer has it
  std::optional<std::int64_t> tcp_tw_reuse;
  std::optional<std::int64_t> tcp_timestamps;
  std::optional<std::int64_t> tcp_max_tw_buckets;
  std::optional<std::int64_t> tcp_fin_timeout;  ///< seconds
  std::optional<std::int64_t> tcp_rfc1337;
  std::optional<PortRange> port_range;
  std::optional<std::uint64_t> port_capacity;  ///< ports of the range that are not reserved

  /// tw of /proc/net/sockstat, which is what tcp_max_tw_buckets limits: FIN-WAIT-2 minisocks too.
  std::optional<std::uint64_t> time_wait;

  // Recent rises of TcpExt counters in /proc/net/netstat.
  std::optional<std::uint64_t> time_wait_overflows;  ///< TCPTimeWaitOverflow
  std::optional<std::uint64_t> time_wait_entries;    ///< TW + TWKilled
  std::optional<std::uint64_t> aborts_on_linger;     ///< TCPAbortOnLinger
  std::optional<std::uint64_t> aborts_on_data;       ///< TCPAbortOnData

  std::optional<SocketFindings> sockets;
  /// For how long `sockets->close_wait` has been at least kManyCloseWait at each poll.
  std::chrono::nanoseconds many_close_wait_for{};
};

/// What a rule says: silent where there is no evidence.
struct Verdict {
  std::string evidence;  ///< in words, with the numbers

  bool speaks() const { return !evidence.empty(); }
};

/// One teaching about TIME-WAIT as a check. docs/runbooks has a page of the rule's name: its
/// condition, what to do, and what not to do.
struct AdviceRule {
  std::string_view name;
  Severity severity;
  /// Pure. Nothing where a figure that it needs is absent.
  std::optional<Verdict> (*judge)(const AdviceFigures& figures);
};

/// Every rule, in the order of the documentation.
std::span<const AdviceRule> advice_rules();

}  // namespace timewait
