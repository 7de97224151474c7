#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "collectors/error.h"
#include "collectors/model/tuples.h"
#include "collectors/parse/tracepoint_format.h"

namespace timewait::parse {

/// The tracepoint by which a connect() that finds no port shows itself, since Linux 4.16.
inline constexpr std::string_view kConnectFailureTracepoint = "sock:inet_sock_set_state";
/// Its directory below `events` in tracefs.
inline constexpr std::string_view kConnectFailureEvent = "sock/inet_sock_set_state";

/// Its firings that are such a connect(). tcp_v4_connect() and tcp_v6_connect() enter SYN-SENT (2)
/// before they look for a port, so a search in vain is a change to CLOSE (7) of a socket that has
/// no port yet (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c). Source and destination are still there
/// then.
inline constexpr std::string_view kConnectFailureFilter =
    "oldstate==2 && newstate==7 && sport==0 && protocol==6";

/// Where the parts of a 4-tuple stand in that tracepoint's record, in bytes.
struct ConnectFailureLayout {
  std::size_t remote_port = 0;  ///< in the host's byte order
  std::size_t local = 0;        ///< 16 bytes; IPv4 as IPv4-mapped IPv6
  std::size_t remote = 0;
};

/// An error where the format lacks a field that the record or the filter needs.
Result<ConnectFailureLayout> compute_connect_failure_layout(const TracepointFormat& format);

/// Which ports were looked for in vain. An error where the record ends before the layout does.
Result<ConnectTuple> parse_connect_failure(const ConnectFailureLayout& layout,
                                           std::span<const std::byte> raw);

}  // namespace timewait::parse
