#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/error.h"

namespace timewait::parse {

/// One cache of /proc/slabinfo (mm/slab_common.c, print_slabinfo_header and cache_show).
struct SlabCache {
  std::string name;
  /// An upper bound: objects in the slabs of a CPU count as active, used or not.
  std::uint64_t active_objects = 0;
  std::uint64_t objects = 0;
  std::uint64_t object_size = 0;  ///< bytes, with padding and debug data
  std::uint64_t pages_per_slab = 0;
  std::uint64_t slabs = 0;
};

/// What was found, and what is wrong with lines that should have been: one bad line spoils no
/// other.
struct Slabinfo {
  std::vector<SlabCache> caches;  ///< in the order of the file
  std::vector<Error> problems;
};

/// The caches with one of these names. Columns are found by the names in
/// the heading line:
///
///     # name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables
///     ... tw_sock_TCP          16     16    256   16    1 : tunables    0    0    0 : slabdata 1
///     ...
Result<Slabinfo> parse_slabinfo(std::string_view text, const std::vector<std::string>& names);

}  // namespace timewait::parse
