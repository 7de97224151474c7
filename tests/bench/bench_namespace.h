#pragma once

#include <string>

#include <tl/expected.hpp>

namespace timewait::bench {

/// Moves the process into a network namespace that is made for millions of TIME-WAIT sockets: all
/// ephemeral ports from 1024 on, no take-over of TIME-WAIT sockets, no limit that they would reach,
/// and, since Linux 6.1, a table of connections of its own with 262,144 buckets, so that the host's
/// sockets are not walked along. The error says what is missing.
///
/// For the main thread of a process that has no other one.
tl::expected<void, std::string> enter_bench_namespace();

}  // namespace timewait::bench
