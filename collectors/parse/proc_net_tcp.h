#pragma once

#include <optional>
#include <string_view>

#include "collectors/error.h"
#include "collectors/model/socket.h"

namespace timewait::parse {

/// One line of /proc/net/tcp or /proc/net/tcp6 (net/ipv4/tcp_ipv4.c, tcp4_seq_show and the
/// functions below it); nothing for the heading:
///
///     sl  local_address rem_address   st tx_queue rx_queue tr tm->when ...
///      0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 ...
///
/// Addresses are 32-bit words in the byte order of the machine, the time is in clock ticks.
Result<std::optional<Socket>> parse_proc_net_tcp_line(std::string_view line);

}  // namespace timewait::parse
