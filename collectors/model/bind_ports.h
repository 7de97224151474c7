#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "collectors/model/distinct_count.h"
#include "collectors/model/hash.h"
#include "collectors/model/heavy_hitters.h"
#include "collectors/model/port_set.h"
#include "collectors/model/socket.h"

namespace timewait {

/// One local address.
struct BindUsage {
  Address local;
  std::uint64_t used = 0;  ///< capacity ports that bind(local, port 0) cannot take
};

/// The bind side at the end of a pass.
struct BindReport {
  std::vector<BindUsage> top;   ///< highest usage first
  std::uint64_t addresses = 0;  ///< distinct local addresses; estimated beyond kMaxAddresses
  std::uint64_t used_max = 0;   ///< over all addresses, 0 if there is none
};

/// Which ports bind(address, 0) can still choose, for each local address.
///
/// The kernel's rule without SO_REUSEADDR and SO_REUSEPORT (net/ipv4/inet_connection_sock.c,
/// inet_csk_find_open_port() and inet_csk_bind_conflict(); inet_rcv_saddr_equal()): a port is
/// closed to an address if any socket on it, in whatever state, TIME-WAIT included, has the same
/// local address or an overlapping wildcard. 0.0.0.0 overlaps every IPv4 address; :: overlaps every
/// IPv6 address, and every IPv4 one as well unless it is IPV6_V6ONLY. The destination does not
/// matter.
///
/// An IPv6 connection holds its port from 0.0.0.0 too, unless IPV6_V6ONLY is on, which bind() to an
/// IPv6 address sets. A dump tells that of idle sockets alone; connections are taken to have it
/// off.
///
/// 0.0.0.0 stands in the report where an IPv4 socket exists, and :: (without IPV6_V6ONLY) where an
/// IPv6 one does.
///
/// Bounded: the sets of ports of kMaxAddresses local addresses. Where there are more, half of the
/// sets are for those with the most sockets at the last pass (Space-Saving, see HeavyHitters), the
/// others for the first ones of this pass.
class BindPorts {
 public:
  static constexpr std::size_t kMaxAddresses = 256;
  static constexpr std::size_t kMaxCounted = 4096;

  void begin_pass();
  void add(const Socket& socket);
  BindReport end_pass(const PortSet& capacity, std::size_t limit);

 private:
  struct Hash {
    std::size_t operator()(const Address& address) const {
      return KeyedHash().add(address).value();
    }
  };

  struct Counted {
    Address address;
    std::uint64_t hash() const { return Hash{}(address); }
    friend bool operator==(const Counted&, const Counted&) = default;
  };
  struct Nothing {};

  void follow(const Address& address);
  PortSet* find_or_add(const Address& address);
  void choose_heaviest();

  boost::unordered_flat_map<Address, std::uint32_t, Hash> index_;
  std::vector<PortSet> ports_;  ///< by index_; more than its size where memory was kept
  bool overflowed_ = false;     ///< this pass has met more addresses than there are sets
  bool counts_ = false;  ///< sockets are counted by address: this pass or the last overflowed
  HeavyHitters<Counted, Nothing> counted_{kMaxCounted};
  std::vector<Address> heaviest_;  ///< of the last pass, if it overflowed
  DistinctCount others_;           ///< addresses of this pass that have no set

  PortSet ipv4_;           ///< ports of sockets with an IPv4 address, wildcard or not
  PortSet ipv6_;           ///< the same of IPv6
  PortSet overlapping_;    ///< ports of IPv6 connections, which are closed to 0.0.0.0
  PortSet wildcard_ipv4_;  ///< ports closed to every IPv4 address: of 0.0.0.0 and of ::
  PortSet wildcard_ipv6_;  ///< ports closed to every IPv6 address: of ::
};

}  // namespace timewait
