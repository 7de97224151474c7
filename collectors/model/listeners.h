#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include "collectors/model/address.h"
#include "collectors/model/port_set.h"
#include "collectors/model/socket.h"

namespace timewait {

/// The listening sockets of this poll and of the last 60 seconds: a connection that was accepted by
/// a listener which has gone since stays on the server side until its TIME-WAIT has run out.
/// Bounded: beyond kMaxListeners distinct (address, port) further ones are not remembered.
class Listeners {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kRemembered = kTimeWaitLength;
  static constexpr std::size_t kMaxListeners = 65536;

  /// Notes a listening socket that a dump at `now` shows.
  void see(const Socket& listener, Time now);

  /// Forgets those last seen more than kRemembered before `now`.
  void forget_old(Time now);

  /// True if a listener covers this local address and port. A wildcard listener covers every
  /// address of its family, and `::` without IPV6_V6ONLY those of IPv4 too.
  bool covers(const Address& local, std::uint16_t port) const {
    const bool is_ipv4 = local.family() == Family::kIpv4;
    if ((is_ipv4 ? any_ipv4_ : any_ipv6_).contains(port)) return true;
    return specific_.contains(port) && seen_.contains(Key{local, port, false});
  }

 private:
  struct Key {
    Address address;
    std::uint16_t port = 0;
    bool covers_ipv4_too = false;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  void cover(const Key& key);

  boost::unordered_flat_map<Key, Time, KeyHash> seen_;
  PortSet any_ipv4_;
  PortSet any_ipv6_;
  PortSet specific_;  ///< ports with a listener on some specific address
};

}  // namespace timewait
