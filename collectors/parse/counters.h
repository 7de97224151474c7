#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/error.h"

namespace timewait::parse {

/// One protocol's counters from /proc/net/netstat or /proc/net/snmp (net/ipv4/proc.c,
/// netstat_seq_show, snmp_seq_show): a line of names, then a line of values.
///
///     TcpExt: SyncookiesSent SyncookiesRecv ...
///     TcpExt: 0 0 ...
///
/// Names come and go with kernel versions, so values are found by name. Refers to the parsed text.
class Counters {
 public:
  /// The value of `name`: nothing where this kernel has no such field, an error where its value is
  /// not a number.
  Result<std::optional<std::uint64_t>> find(std::string_view name) const;

  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
};

/// The counters of `protocol`, e.g. `TcpExt` or `Tcp`. An error where the protocol's two lines are
/// missing or do not match.
Result<Counters> parse_counters(std::string_view text, std::string_view protocol);

/// The kernel's name of a field in snake case: TWRecycled gives tw_recycled, PAWSOldAck
/// paws_old_ack, TCPACKSkippedFinWait2 tcp_ack_skipped_fin_wait2. A word ends before a capital that
/// follows a small letter or digit, before the last capital of a run that a small letter follows,
/// and after a leading TCP.
std::string to_snake_case(std::string_view field);

}  // namespace timewait::parse
