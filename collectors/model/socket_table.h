#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "collectors/model/listeners.h"
#include "collectors/model/port_set.h"
#include "collectors/model/socket.h"

namespace timewait {

/// Sockets by family and state.
class StateCounts {
 public:
  void add(const Socket& socket) {
    ++counts_[index(socket.local.family())][static_cast<std::size_t>(socket.state)];
    if (socket.state == TcpState::kFinWait2 && socket.is_minisock) ++fin_wait2_minisocks_;
  }

  std::uint64_t of(Family family, TcpState state) const {
    return counts_[index(family)][static_cast<std::size_t>(state)];
  }
  /// FIN-WAIT-2 sockets that only a minisock is left of; part of those that `of` gives.
  std::uint64_t fin_wait2_minisocks() const { return fin_wait2_minisocks_; }

 private:
  static std::size_t index(Family family) { return static_cast<std::size_t>(family); }

  std::array<std::array<std::uint64_t, kTcpStateLimit>, kFamilies.size()> counts_{};
  std::uint64_t fin_wait2_minisocks_ = 0;
};

/// TIME-WAIT sockets by the side that they belong to and by the time that is left to them.
class TimeWaitCounts {
 public:
  /// Bounds of the remaining time; the counts are cumulative, as in a histogram.
  static constexpr std::array kWithin{std::chrono::seconds{5}, std::chrono::seconds{15},
                                      std::chrono::seconds{30}, std::chrono::seconds{60}};

  void add(const Socket& socket, const Listeners& listeners) {
    if (socket.state != TcpState::kTimeWait) return;
    ++(listeners.covers(socket.local, socket.local_port) ? server_ : client_);
    if (!socket.is_minisock) {
      tells_time_ = false;
      return;
    }
    for (std::size_t i = 0; i < kWithin.size(); ++i) {
      if (socket.expires_in <= kWithin[i]) ++expiring_[i];
    }
  }

  std::uint64_t server() const { return server_; }
  std::uint64_t client() const { return client_; }
  /// In the order of kWithin. Nothing where a socket came without its time, as in gVisor's
  /// /proc/net/tcp.
  std::optional<std::array<std::uint64_t, kWithin.size()>> expiring() const {
    if (!tells_time_) return std::nullopt;
    return expiring_;
  }

 private:
  std::uint64_t server_ = 0;
  std::uint64_t client_ = 0;
  std::array<std::uint64_t, kWithin.size()> expiring_{};
  bool tells_time_ = true;
};

/// The local ports that sockets hold.
class LocalPorts {
 public:
  void add(const Socket& socket) {
    if (socket.local_port == 0) return;  // gVisor lists sockets that are not bound
    in_use_.insert(socket.local_port);
    if (socket.state == TcpState::kListen || socket.state == TcpState::kBoundInactive) {
      blocked_.insert(socket.local_port);
    }
  }

  const PortSet& in_use() const { return in_use_; }

  /// Ports that certainly no connect() may choose, whatever its destination: a listening or a bound
  /// idle socket keeps the port's bind bucket at fastreuse or fastreuseport >= 0, which
  /// __inet_hash_connect() skips (net/ipv4/inet_hashtables.c).
  const PortSet& blocked() const { return blocked_; }

 private:
  PortSet in_use_;
  PortSet blocked_;
};

/// All that one pass over the kernel's sockets feeds. A further figure is a further member here and
/// a line in `add`.
class SocketTable {
 public:
  /// `listeners` outlives the table and knows the listeners before the connections come.
  explicit SocketTable(const Listeners& listeners) : listeners_(&listeners) {}

  void add(const Socket& socket) {
    states_.add(socket);
    time_wait_.add(socket, *listeners_);
    ports_.add(socket);
  }

  const StateCounts& states() const { return states_; }
  const TimeWaitCounts& time_wait() const { return time_wait_; }
  const LocalPorts& ports() const { return ports_; }

 private:
  const Listeners* listeners_;
  StateCounts states_;
  TimeWaitCounts time_wait_;
  LocalPorts ports_;
};

}  // namespace timewait
