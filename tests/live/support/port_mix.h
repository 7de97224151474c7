#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "collectors/model/ephemeral_ports.h"
#include "tests/live/support/connection.h"
#include "tests/live/support/tcp.h"

namespace timewait::test {

/// What is given when connect() looks for a port.
struct Tuple {
  std::string local;
  std::string remote;
  std::uint16_t remote_port = 0;

  bool is_ipv6() const { return remote.find(':') != std::string::npos; }
  /// As the exporter writes them.
  std::string labels() const;
  friend auto operator<=>(const Tuple&, const Tuple&) = default;
};

/// AF_INET6 sockets for an IPv4 tuple, or those of its own family.
enum class Mapped : std::uint8_t { kNo, kYes };

/// Connects from tuple.local until connect() finds no port, resets these connections and says how
/// many there were. In a range of an odd number of ports one attempt leaves out one port, the first
/// or the last (__inet_hash_connect, net/ipv4/inet_hashtables.c), so these are tried on their own.
/// What is in the accept queue of the peer is left there.
std::size_t count_connects(const Tuple& tuple, const PortRange& range, Mapped mapped = Mapped::kNo);

/// The same by bind() to the address and port 0, without SO_REUSEADDR.
std::size_t count_binds(const std::string& address, const PortRange& range);

/// A small range of ephemeral ports and random sockets in and around it, made from a seed in the
/// namespace of the test. What the seed does not decide is which port the kernel chooses.
class PortMix {
 public:
  enum class Kind : std::uint8_t {
    /// No tuple fills the half of the range that connect() prefers, and no socket that blocks an
    /// even offset is hidden from a dump: an estimate by parity has to be exact.
    kOrderly,
    /// Anything goes.
    kUnruly,
  };

  explicit PortMix(unsigned seed);

  Kind kind() const { return kind_; }
  const PortRange& range() const { return range_; }
  std::size_t capacity() const;
  std::string description() const;

  /// Whether what the kernel did while the mix was made leaves the estimate by parity exact.
  bool parity_holds() const { return parity_holds_; }
  /// Capacity ports whose bind buckets are closed to every connect(), as a dump shows: listeners,
  /// bound idle sockets, and full sockets that chose their port themselves.
  std::set<std::uint16_t> visibly_blocked_ports() const;
  /// Those, and the ports of the tuple's own sockets that connect() may not take over: none of them
  /// is free for the tuple, for certain.
  std::set<std::uint16_t> taken_ports(const Tuple& tuple) const;

  /// All tuples with connections, and one without.
  const std::vector<Tuple>& tuples() const { return tuples_; }
  /// The tuple's sockets at ports of the range.
  std::size_t sockets(const Tuple& tuple) const;
  /// Of these, the ones at ports where nothing listens: certainly no server's.
  std::size_t connect_side_sockets(const Tuple& tuple) const;
  /// Addresses of this namespace, the wildcards among them.
  static const std::vector<std::string>& local_addresses();

  /// Ports of capacity at which a bind to 0.0.0.0 depends on what a dump does not tell: an IPv6
  /// socket is connected there and no IPv4 one has the port; those that were never bound, and those
  /// that a listener of both families accepted, stand in its way
  /// (ipv4_rcv_saddr_equal, net/ipv4/inet_connection_sock.c).
  std::size_t ambiguous_to_ipv4_wildcard() const;

  std::size_t count_connects(const Tuple& tuple);

 private:
  struct Held {
    std::uint16_t port = 0;
    bool blocks_visibly = false;
    Connection sockets;                ///< a listener or a bound socket is the client
    std::string connect_address = {};  ///< of a listener
  };

  void set_range();
  void reserve_ports(std::size_t count);
  void choose_tuples();
  void add();
  void add_blocker();
  void settle() const;
  void allow_reuse();

  void listen_inside();
  void bind_idle();
  void bind_idle_to_port_0();
  void connect(const Tuple& tuple);
  void connect_with_port_from_bind(const Tuple& tuple);
  void connect_from_chosen_port(const Tuple& tuple);
  void connect_to_inner_listener();
  void close_something();
  void fill_beyond_preferred_half(const Tuple& tuple);

  std::optional<FileDescriptor> open_client(const Tuple& tuple);
  void hold_idle(FileDescriptor socket);
  Connection accept(FileDescriptor client, const Tuple& tuple) const;
  /// True if the client's end is no full socket any more.
  bool bring_into_random_state(Connection& connection);

  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class T>
  const T& any_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }
  std::uint16_t any_port() { return static_cast<std::uint16_t>(range_.low + below(size())); }
  std::size_t size() const { return range_.high - range_.low + 1U; }
  bool has_even_offset(std::uint16_t port) const { return (port - range_.low) % 2 == 0; }
  bool is_in_range(std::uint16_t port) const { return range_.low <= port && port <= range_.high; }
  bool is_capacity(std::uint16_t port) const {
    return is_in_range(port) && !reserved_.contains(port);
  }
  bool may_reuse_time_waits_of(const Tuple& tuple) const;
  std::string as_sockets_take_it(const std::string& address);

  unsigned seed_;
  std::mt19937 random_;
  Kind kind_;
  PortRange range_;
  std::set<std::uint16_t> reserved_;
  std::vector<FileDescriptor> services_;
  std::vector<Tuple> tuples_;
  std::map<Tuple, std::size_t> connects_;
  std::size_t blockers_ = 0;
  std::vector<Held> held_;
  bool parity_holds_ = true;
  int reuse_ = 0;
};

}  // namespace timewait::test
