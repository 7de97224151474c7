#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collectors/model/heavy_hitters.h"
#include "collectors/model/socket.h"
#include "collectors/model/top.h"
#include "collectors/model/tuples.h"

namespace timewait {

/// One (local address, local port, remote address).
struct ServerUsage {
  ServerTuple tuple;
  TupleStates states;
  std::uint64_t used = 0;  ///< quadruplets, which is remote ports
};

/// The server side at the end of a pass.
struct ServerReport {
  std::vector<ServerUsage> top;   ///< highest usage first
  std::uint64_t tuples = 0;       ///< see HeavyHitters::distinct
  std::uint64_t sockets = 0;      ///< of all tuples
  std::uint64_t error_bound = 0;  ///< sockets that a tuple's figures may lack; see HeavyHitters
  std::uint64_t used_max = 0;     ///< over all tuples, 0 if there is none
};

/// How many quadruplets each remote host holds with each port that this one listens on. The remote
/// host is the one that may run out of ports, and its range is not known here; a SYN with a newer
/// timestamp or sequence number takes over a TIME-WAIT socket of this side
/// (net/ipv4/tcp_minisocks.c, tcp_timewait_state_process()).
class ServerPorts {
 public:
  explicit ServerPorts(std::size_t max_tuples) : tuples_(max_tuples) {}

  void begin_pass() { tuples_.clear(); }

  /// A connection of the server side.
  void add(const Socket& socket) {
    tuples_.add({socket.local, socket.remote, socket.local_port}).value.add(socket.state);
  }

  ServerReport end_pass(std::size_t limit) const {
    const auto entries = tuples_.entries();
    ServerReport report;
    report.tuples = tuples_.distinct();
    report.sockets = tuples_.total();
    report.error_bound = tuples_.error_bound();
    for (const auto& entry : entries) {
      report.used_max = std::max(report.used_max, entry.value.sum());
    }
    const auto top =
        compute_top(entries.size(), limit, [&](std::uint32_t left, std::uint32_t right) {
          const auto order = entries[left].value.sum() <=> entries[right].value.sum();
          return std::is_neq(order) ? std::is_gt(order) : entries[left].key < entries[right].key;
        });
    report.top.reserve(top.size());
    for (const std::uint32_t index : top) {
      const TupleStates& states = entries[index].value;
      report.top.push_back({entries[index].key, states, states.sum()});
    }
    return report;
  }

 private:
  HeavyHitters<ServerTuple, TupleStates> tuples_;
};

}  // namespace timewait
