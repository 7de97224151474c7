#pragma once

#include <string_view>

#include "collectors/error.h"
#include "collectors/parse/fields.h"

namespace timewait::parse {

/// One protocol's line of /proc/net/sockstat or /proc/net/sockstat6 (net/ipv4/proc.c,
/// sockstat_seq_show; net/ipv6/proc.c, sockstat6_seq_show), e.g. of `TCP` or `TCP6`:
///
///     TCP: inuse 5 orphan 0 tw 10 alloc 7 mem 262
///     TCP6: inuse 2
///
/// An error where there is no such line.
Result<Fields> parse_sockstat(std::string_view text, std::string_view protocol);

}  // namespace timewait::parse
