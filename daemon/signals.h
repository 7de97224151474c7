#pragma once

namespace timewait {

/// Blocks SIGTERM, SIGINT and SIGHUP in this thread and in those that it starts afterwards, and
/// ignores SIGPIPE: a client that has gone is an error of its write.
void block_stop_signals();

/// Waits for one of those that block_stop_signals() has blocked; gives its name.
const char* wait_for_stop_signal();

}  // namespace timewait
