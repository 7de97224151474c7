#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include "collectors/model/hash.h"
#include "collectors/model/port_set.h"
#include "collectors/model/socket.h"

namespace timewait {

/// Connections whose program had chosen the local port itself with bind(). The bind bucket of such
/// a port is closed to every connect() for as long as the quadruplet exists, its TIME-WAIT
/// included. The kernel tells them apart only while they are full sockets, and only in a walk of
/// its own (INET_DIAG_BC_AUTO in net/ipv4/inet_diag.c) that is not taken at each poll: a quadruplet
/// that was found once proves its port in every later poll that sees it again.
/// Bounded: beyond kMaxConnections further ones are not remembered.
class ExplicitBinds {
 public:
  static constexpr std::size_t kMaxConnections = 4096;

  /// Notes a connection that the kernel names as explicitly bound.
  void see(const Socket& socket) {
    if (seen_.size() >= kMaxConnections) return;
    seen_.insert_or_assign(Quadruplet::of(socket), true);
    ports_.insert(socket.local_port);
  }

  /// True if this connection of the poll's pass is one of them.
  bool confirm(const Socket& socket) {
    if (!ports_.contains(socket.local_port)) return false;
    const auto known = seen_.find(Quadruplet::of(socket));
    if (known == seen_.end()) return false;
    known->second = true;
    return true;
  }

  /// The local ports of all that is remembered.
  const PortSet& ports() const { return ports_; }

  /// Forgets what a whole pass has not seen again.
  void end_pass() {
    erase_if(seen_, [](const auto& entry) { return !entry.second; });
    ports_.clear();
    for (auto& [quadruplet, seen] : seen_) {
      seen = false;
      ports_.insert(quadruplet.local_port);
    }
  }

 private:
  struct Quadruplet {
    Address local;
    Address remote;
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0;

    static Quadruplet of(const Socket& socket) {
      return {socket.local, socket.remote, socket.local_port, socket.remote_port};
    }
    friend bool operator==(const Quadruplet&, const Quadruplet&) = default;
  };
  struct Hash {
    std::size_t operator()(const Quadruplet& key) const {
      const std::uint64_t ports = (std::uint64_t{key.local_port} << 16U) | key.remote_port;
      return KeyedHash().add(key.local).add(key.remote).add(ports).value();
    }
  };

  boost::unordered_flat_map<Quadruplet, bool, Hash> seen_;
  PortSet ports_;
};

}  // namespace timewait
