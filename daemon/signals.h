#pragma once

#include <cstdint>
#include <string_view>

namespace timewait {

enum class Signal : std::uint8_t { kHangUp, kInterrupt, kTerminate };

/// As in the C library: `SIGTERM`.
std::string_view to_string(Signal signal);

/// Lets SIGHUP wait until wait_for_signal() takes it, in this thread and in those that it starts
/// afterwards: by default it would end the process.
void block_reload_signal();

/// Does the same with SIGTERM and SIGINT, and ignores SIGPIPE: a client that has gone is an error
/// of its write.
void block_stop_signals();

/// Waits for one of those that are blocked. Where several are pending, one that stops goes first,
/// lest reloads keep the daemon from ending.
Signal wait_for_signal();

}  // namespace timewait
