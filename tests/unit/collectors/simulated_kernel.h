#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/socket.h"
#include "collectors/model/time_wait_reuse.h"
#include "collectors/model/tuples.h"

namespace timewait::test {

/// The ports of a kernel in one network namespace, plain and slow: what __inet_hash_connect(),
/// __inet_check_established() and inet_csk_find_open_port() decide, without devices and without
/// SO_REUSEADDR. It knows what a dump does not show: the bind buckets.
class SimulatedKernel {
 public:
  using Port = std::uint16_t;
  using Id = unsigned;
  using Milliseconds = std::chrono::duration<std::int64_t, std::milli>;

  struct Settings {
    PortRange range{40000, 40009};
    std::set<Port> reserved;
    /// connect() tries the ports of the lower end's parity first, bind(addr, 0) the others.
    bool has_halves = true;
    /// A bucket that only connect() keeps any longer is open again (6.18).
    bool reopens = false;
    TimeWaitReuse::Scope reuse = TimeWaitReuse::Scope::kNone;
    Milliseconds reuse_delay{1000};
  };

  struct Held {
    Socket socket;
    bool by_connect = false;     ///< connect() chose the port
    bool explicit_bind = false;  ///< the program chose it
    bool is_accepted = false;
    bool ipv6_only = false;  ///< IPV6_V6ONLY, which bind() to an IPv6 address turns on
    Milliseconds ends{};     ///< of a minisock
  };

  struct Bucket {
    unsigned generation = 0;   ///< no two buckets have the same
    bool is_closed = false;    ///< to every connect(): fastreuse or fastreuseport >= 0
    bool has_spilled = false;  ///< connect() chose the port from the half that it tries last
    bool has_reopened = false;
  };

  SimulatedKernel(Settings settings, unsigned seed)
      : settings_(std::move(settings)), random_(seed) {}

  const Settings& settings() const { return settings_; }
  const std::map<Id, Held>& sockets() const { return sockets_; }
  const std::map<Port, Bucket>& buckets() const { return buckets_; }
  Milliseconds now() const { return now_; }

  /// The ports that a choice is made from.
  std::set<Port> capacity() const;
  bool is_preferred(Port port) const { return ((port - settings_.range.low) & 1) == 0; }

  /// Whether a new connect() of the tuple could choose this port.
  bool can_connect(const ConnectTuple& tuple, Port port) const;
  bool is_reusable(const Held& held) const;
  /// Whether bind() to this address could take this port.
  bool can_bind(const Address& local, bool ipv6_only, Port port) const;

  // What programs and remote hosts do. Nothing where the kernel refuses.
  std::optional<Id> connect(const ConnectTuple& tuple);
  std::optional<Id> bind(const Address& local, bool ipv6_only, Port port);
  bool connect_bound(Id id, const ConnectTuple& tuple);
  void listen(Id id) { sockets_.at(id).socket.state = TcpState::kListen; }
  std::optional<Id> accept(Id listener, const Address& local, const Address& remote, Port port);
  /// The socket's next state, whichever end brings it about.
  void change(Id id);
  void move_range(const PortRange& range) { settings_.range = range; }
  void advance(Milliseconds by);

  /// Some socket that `fits`.
  template <class Fits>
  std::optional<Id> pick(Fits&& fits) {
    std::vector<Id> found;
    for (const auto& [id, held] : sockets_) {
      if (fits(held)) found.push_back(id);
    }
    if (found.empty()) return std::nullopt;
    return found[below(static_cast<unsigned>(found.size()))];
  }

  /// Below `limit`.
  unsigned below(unsigned limit) {
    return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_);
  }
  std::mt19937& random() { return random_; }

 private:
  std::vector<Port> search_order(bool preferred_first);
  std::optional<Id> holder(const ConnectTuple& tuple, Port port) const;
  Id hold(Held held);
  void release(Id id);
  void become_minisock(Held& held, TcpState state);

  Settings settings_;
  std::mt19937 random_;
  std::map<Id, Held> sockets_;
  std::map<Port, Bucket> buckets_;
  Milliseconds now_{std::chrono::hours{1}};
  unsigned last_ = 0;
};

/// inet_rcv_saddr_equal(): whether two sockets of one port are in each other's way.
bool overlap(const Address& left, bool left_ipv6_only, const Address& right, bool right_ipv6_only);

}  // namespace timewait::test
