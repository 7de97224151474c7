#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "collectors/model/bind_ports.h"
#include "collectors/model/connect_ports.h"
#include "collectors/model/listeners.h"
#include "collectors/model/port_set.h"
#include "collectors/model/server_ports.h"
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

  void add(const Socket& socket, bool is_server) {
    if (socket.state != TcpState::kTimeWait) return;
    ++(is_server ? server_ : client_);
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
    in_use_.insert(socket.local_port);
    if (socket.state == TcpState::kListen) listening_.insert(socket.local_port);
  }

  const PortSet& in_use() const { return in_use_; }
  const PortSet& listening() const { return listening_; }

 private:
  PortSet in_use_;
  PortSet listening_;
};

/// The ports at the end of a pass.
struct PortReport {
  std::optional<ConnectReport> connect;  ///< absent where the range of ports is not known
  std::optional<BindReport> bind;        ///< likewise
  ServerReport server;
};

/// All that one pass over the kernel's sockets feeds. A further figure is a further member here and
/// a line in `add`. Memory is bounded and kept from pass to pass; what is kept of their content is
/// what listened lately and what connect() and bind() did to ports.
class SocketTable {
 public:
  /// `max_tuples`: of the connect side and of the server side each.
  explicit SocketTable(std::size_t max_tuples) : connect_(max_tuples), server_(max_tuples) {}

  /// Before each pass, also where the last one broke off. `conditions` are absent where the range
  /// of ephemeral ports is not known: then there is no connect side and no bind side.
  void begin_pass(Listeners::Time now, const std::optional<ConnectPorts::Conditions>& conditions) {
    now_ = now;
    listeners_.forget_old(now);
    states_ = {};
    time_wait_ = {};
    ports_ = {};
    ephemeral_.reset();
    if (conditions) {
      ephemeral_ = conditions->ports;
      connect_.begin_pass(*conditions);
    }
    bind_.begin_pass();
    server_.begin_pass();
  }

  /// A connection whose program had bound it to its port; it comes again in `add`. Before those.
  void add_explicit_bind(const Socket& socket) { connect_.add_explicit_bind(socket); }

  /// A bound idle socket that an earlier pass saw and this one does not ask for: taken to be there
  /// still, but no proof. Before the connections.
  void add_remembered_idle(const Socket& socket) {
    states_.add(socket);
    ports_.add(socket);
    bind_.add(socket);
    connect_.add_remembered_idle(socket);
  }

  /// The idle sockets first, then the connections. Where each family comes for itself, IPv6 comes
  /// first: its listeners may cover IPv4 connections, not the other way round.
  void add(const Socket& socket) {
    states_.add(socket);
    if (socket.local_port == 0) return;  // gVisor lists sockets that are not bound
    ports_.add(socket);
    bind_.add(socket);
    if (is_idle(socket.state)) {
      if (socket.state == TcpState::kListen) listeners_.see(socket, now_);
      connect_.add_idle(socket);
      return;
    }
    const bool is_server = listeners_.covers(socket.local, socket.local_port);
    time_wait_.add(socket, is_server);
    if (is_server) server_.add(socket);
    if (ephemeral_) connect_.add(socket, is_server);
  }

  /// After a whole pass, once: the tuples and the local addresses of the highest usage, `limit` of
  /// each kind.
  PortReport end_pass(std::size_t limit) {
    PortReport report;
    report.server = server_.end_pass(limit);
    if (!ephemeral_) return report;
    report.connect = connect_.end_pass(limit);
    report.bind = bind_.end_pass(ephemeral_->capacity, limit);
    return report;
  }

  const StateCounts& states() const { return states_; }
  const TimeWaitCounts& time_wait() const { return time_wait_; }
  const LocalPorts& ports() const { return ports_; }

 private:
  Listeners::Time now_;
  std::optional<EphemeralPorts> ephemeral_;
  Listeners listeners_;
  StateCounts states_;
  TimeWaitCounts time_wait_;
  LocalPorts ports_;
  ConnectPorts connect_;
  BindPorts bind_;
  ServerPorts server_;
};

}  // namespace timewait
