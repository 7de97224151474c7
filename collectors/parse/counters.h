#pragma once

#include <string>
#include <string_view>

#include "collectors/error.h"
#include "collectors/parse/fields.h"

namespace timewait::parse {

/// One protocol's counters, e.g. of `TcpExt` or `Tcp`, from /proc/net/netstat or /proc/net/snmp
/// (net/ipv4/proc.c, netstat_seq_show, snmp_seq_show): a line of names, then a line of values.
///
///     TcpExt: SyncookiesSent SyncookiesRecv ...
///     TcpExt: 0 0 ...
///
/// An error where the protocol's two lines are missing or do not match.
Result<Fields> parse_counters(std::string_view text, std::string_view protocol);

/// The kernel's name of a field in snake case: TWRecycled gives tw_recycled, PAWSOldAck
/// paws_old_ack, TCPACKSkippedFinWait2 tcp_ack_skipped_fin_wait2. A word ends before a capital that
/// follows a small letter or digit, before the last capital of a run that a small letter follows,
/// and after a leading TCP.
std::string to_snake_case(std::string_view field);

}  // namespace timewait::parse
