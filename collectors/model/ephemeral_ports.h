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

/// The ports that connect() and bind(addr, 0) choose from.
struct EphemeralPorts {
  PortSet capacity;          ///< in ip_local_port_range and not in ip_local_reserved_ports
  std::size_t reserved = 0;  ///< ports of the range that ip_local_reserved_ports takes out
};

inline EphemeralPorts compute_ephemeral_ports(const PortRange& range, const PortSet& reserved) {
  EphemeralPorts ports;
  ports.capacity.insert_range(range.low, range.high);
  ports.reserved = (ports.capacity & reserved).size();
  ports.capacity -= reserved;
  return ports;
}

}  // namespace timewait
