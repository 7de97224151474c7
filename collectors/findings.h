#pragma once

#include <cstdint>
#include <optional>

#include "collectors/collector.h"
#include "collectors/error.h"

namespace timewait {

/// What a walk over the sockets says about the ephemeral ports.
struct PortFindings {
  std::uint64_t capacity = 0;
  std::uint64_t blocked_observed = 0;
  std::uint64_t blocked_inferred = 0;
  std::uint64_t with_listener = 0;  ///< capacity ports that a socket listens on at this moment
  /// The lowest of those, as an example.
  std::optional<std::uint16_t> lowest_with_listener;
  double connect_usage_ratio_max = 0;  ///< as timewait_connect_ports_usage_ratio_max
};

/// What sock_diag found at its last poll.
struct SocketFindings {
  SteadyTime at;  ///< when that poll began
  std::uint64_t time_wait_client = 0;
  std::uint64_t time_wait_server = 0;
  std::uint64_t close_wait = 0;
  std::optional<PortFindings> ports;  ///< absent where the range of ports could not be read
};

/// What the collectors of one namespace know of each other's last poll, so that one that judges
/// (advice) needs no walk of its own over the kernel's sockets. A collector sets what is its own at
/// each poll and clears it when it fails; a collector further down in the list sees the figures of
/// the same round. Absent where the collector is off or failed. Used from one thread.
struct Findings {
  std::optional<SocketFindings> sockets;
};

}  // namespace timewait
