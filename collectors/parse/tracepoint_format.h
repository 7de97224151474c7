#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/error.h"

namespace timewait::parse {

/// Where a field stands in a tracepoint's raw record.
struct TracepointField {
  std::string name;
  std::size_t offset = 0;  ///< bytes from the record's start
  std::size_t size = 0;    ///< bytes
};

/// How this kernel lays out the record of one tracepoint.
struct TracepointFormat {
  std::uint64_t id = 0;  ///< perf_event_attr.config
  std::vector<TracepointField> fields;

  /// The field of that name and size; an error that says what the format has instead.
  Result<TracepointField> find(std::string_view name, std::size_t size) const;
};

/// A tracepoint's format file in tracefs (kernel/trace/trace_events.c, f_show):
///
///     ID: 2287
///     format:
///     	field:__u16 dport;	offset:26;	size:2;	signed:0;
///     	field:__u8 saddr_v6[16];	offset:40;	size:16;	signed:0;
///
/// Lines of another form are passed over: their number and order differ between kernels.
Result<TracepointFormat> parse_tracepoint_format(std::string_view text);

}  // namespace timewait::parse
