#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/error.h"

namespace timewait::parse {

/// The TCP line of /proc/net/sockstat, or the TCP6 line of /proc/net/sockstat6 (net/ipv4/proc.c,
/// sockstat_seq_show; net/ipv6/proc.c, sockstat6_seq_show):
///
///     TCP: inuse 5 orphan 0 tw 10 alloc 7 mem 262
///     TCP6: inuse 2
///
/// A key that the kernel does not write stays empty.
struct Sockstat {
  std::optional<std::uint64_t> tcp_in_use;
  std::optional<std::uint64_t> tcp_orphans;
  std::optional<std::uint64_t> tcp_time_wait;  ///< FIN-WAIT-2 minisocks included
  std::optional<std::uint64_t> tcp_allocated;
  std::optional<std::uint64_t> tcp_memory_pages;
  std::optional<std::uint64_t> tcp6_in_use;
};

/// Reads either file. Other lines and unknown keys are passed over; a file with neither line is
/// malformed.
Result<Sockstat> parse_sockstat(std::string_view text);

}  // namespace timewait::parse
