#pragma once

#include <cstddef>
#include <cstdint>

#include "collectors/model/port_set.h"

namespace timewait {

/// net.ipv4.ip_local_port_range, both ends included.
struct PortRange {
  std::uint16_t low = 0;
  std::uint16_t high = 0;
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

/// The ports of the kernel's default net.ipv4.ip_local_port_range, 32768-60999.
inline constexpr std::uint64_t kDefaultEphemeralPorts = 28'232;

/// The ports that connect() and bind(addr, 0) choose from.
struct EphemeralPorts {
  PortRange range;
  PortSet capacity;          ///< in ip_local_port_range and not in ip_local_reserved_ports
  std::size_t reserved = 0;  ///< ports of the range that ip_local_reserved_ports takes out

  bool in_range(std::uint16_t port) const { return port >= range.low && port <= range.high; }

  /// True for the ports that connect() tries first, those of the parity of the range's lower end;
  /// bind(addr, 0) tries the others first (net/ipv4/inet_hashtables.c, __inet_hash_connect();
  /// net/ipv4/inet_connection_sock.c, inet_csk_find_open_port(); since 4.6).
  bool is_preferred(std::uint16_t port) const { return ((port - range.low) & 1) == 0; }

  /// The capacity ports that connect() tries first.
  PortSet preferred() const {
    PortSet ports;
    capacity.for_each([&](std::uint16_t port) {
      if (is_preferred(port)) ports.insert(port);
    });
    return ports;
  }
};

inline EphemeralPorts compute_ephemeral_ports(const PortRange& range, const PortSet& reserved) {
  EphemeralPorts ports;
  ports.range = range;
  ports.capacity.insert_range(range.low, range.high);
  ports.reserved = (ports.capacity & reserved).size();
  ports.capacity -= reserved;
  return ports;
}

/// Used ports over capacity, 0 to 1. Without any capacity all is used: no connect() can succeed.
inline double compute_usage_ratio(std::uint64_t used, std::size_t capacity) {
  return capacity == 0 ? 1 : static_cast<double>(used) / static_cast<double>(capacity);
}

}  // namespace timewait
