#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/file_descriptor.h"

namespace timewait::bench {

/// TIME-WAIT sockets, spread evenly over distinct tuples of local address, remote address and
/// remote port.
struct Population {
  std::size_t sockets = 0;
  std::size_t tuples = 1;
};

/// Sockets in TIME-WAIT in this namespace, FIN-WAIT-2 minisocks included: `tw` in
/// /proc/net/sockstat.
std::size_t count_time_wait();

/// A listener on every local address, and the addresses of 127.0.0.0/8 that it is reached at in
/// turn: one for each tuple. For one thread.
class Lane {
 public:
  explicit Lane(std::uint16_t port);

  void spread_over(std::size_t tuples);
  std::size_t tuples() const { return tuples_; }

  /// So many connections, of which the client closes first: one TIME-WAIT socket is left of each.
  void make(std::size_t count);

 private:
  void make_burst(std::size_t count);

  FileDescriptor listener_;
  sockaddr_in destination_{};
  std::size_t tuples_ = 0;
  std::size_t next_ = 0;
};

/// Makes IPv4 TIME-WAIT sockets in the namespace of the process, which has to be its own
/// (enter_bench_namespace): real connections over lo, all from 127.0.0.1.
///
/// The kernel ends TIME-WAIT after 60 seconds (TCP_TIMEWAIT_LEN, include/net/tcp.h).
/// Errors: everything throws.
/// Threads: hold() starts one for each lane and joins them before it returns.
class TimeWaitSockets {
 public:
  TimeWaitSockets();

  /// Makes as many sockets as are missing, and sees to it that none expires within `steady`, which
  /// is at most 45 seconds. Gives up after four minutes. The number of tuples stays that of the
  /// first call.
  void hold(const Population& wanted, std::chrono::seconds steady);

 private:
  using Clock = std::chrono::steady_clock;

  void spread_over(std::size_t tuples);
  void make(std::size_t count);
  void renew_unless_steady(std::chrono::seconds steady);

  std::vector<Lane> lanes_;
  std::size_t tuples_ = 0;
  Clock::time_point renewed_;  ///< no socket is older
};

}  // namespace timewait::bench
