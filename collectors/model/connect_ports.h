#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/explicit_binds.h"
#include "collectors/model/heavy_hitters.h"
#include "collectors/model/port_set.h"
#include "collectors/model/time_wait_reuse.h"
#include "collectors/model/tuples.h"

namespace timewait {

/// Capacity ports that no new connect() may choose, whatever its destination.
struct BlockedPorts {
  PortSet observed;  ///< for certain
  PortSet inferred;  ///< presumably; disjoint from the above
};

/// One (local address, remote address, remote port).
struct ConnectUsage {
  ConnectTuple tuple;
  TupleStates states;
  std::uint64_t used = 0;      ///< capacity ports that a new connect() of this tuple cannot use
  std::uint64_t reusable = 0;  ///< capacity ports that it would take from a TIME-WAIT socket
};

/// The connect side at the end of a pass.
struct ConnectReport {
  BlockedPorts blocked;
  std::vector<ConnectUsage> top;  ///< highest usage first
  std::uint64_t tuples = 0;       ///< see HeavyHitters::distinct
  std::uint64_t sockets = 0;      ///< of all tuples
  std::uint64_t error_bound = 0;  ///< sockets that a tuple's figures may lack; see HeavyHitters
  double usage_ratio_max = 0;     ///< over all tuples, 0 if there is none
  /// The same for the half of the ports that connect() tries first. Absent on a kernel that has no
  /// such half, and where all of its ports are reserved.
  std::optional<double> preferred_usage_ratio_max;
};

/// Which ports connect() can still choose, for each destination.
///
/// The kernel's rule (net/ipv4/inet_hashtables.c, __inet_hash_connect() and
/// __inet_check_established()): a capacity port is closed to (S, D, dport) if
///   - its bind bucket came from a bind(): a listener and its accepted connections, a bound idle
///     socket, an explicit bind or a bind(addr, 0), all until the bucket's last socket has gone,
///     its TIME-WAIT included; such a port is closed to every destination; or
///   - a socket has the same quadruplet, IPv4-mapped addresses being IPv4, unless it is a TIME-WAIT
///     socket that connect() may take over (TimeWaitReuse).
///
/// A dump shows the quadruplets but not the buckets. Observed as closed are the ports of listeners,
/// of bound idle sockets and of explicit binds. Inferred is, of the other ports that are in use,
///   - one that was closed at an earlier poll and has been in use at every poll since;
///   - one of a bound idle socket that this pass did not ask for but an earlier one saw; and
///   - one of the half that connect() tries last: bind(addr, 0) tries it first. Once inferred, it
///     stays so for as long as the same quadruplet has it. Not so where connect() has gone there
///     itself: a tuple that owns the port has filled the preferred half, now or when the port was
///     first seen, or two sockets of one local address share the port, one of them a full one.
///     bind(addr, 0) does not allow that; explicit binds with SO_REUSEADDR do, which can no longer
///     be told once both are minisocks.
///
/// Ports are counted, not stored, for each tuple: a quadruplet exists once, so its sockets are its
/// ports. Sockets that are bound to a device count like others, although one that is bound to
/// another device leaves the port to a socket that is bound to none.
class ConnectPorts {
 public:
  explicit ConnectPorts(std::size_t max_tuples) : tuples_(max_tuples), owners_(65536) {
    history_.tuples.resize(65536);
  }

  struct Conditions {
    EphemeralPorts ports;
    TimeWaitReuse reuse;
    /// connect() and bind(addr, 0) try different halves of the ports first: since 4.6.
    bool has_preferred_half = true;
  };

  /// Forgets the last pass but for what it taught about ports. To be called again where a pass
  /// broke off.
  void begin_pass(const Conditions& conditions);

  /// A listening or a bound idle socket. Before the connections: one that had been counted for its
  /// tuple by then would count there once more among the blocked ports.
  void add_idle(const Socket& socket) {
    proven_.insert(socket.local_port);
    known_blocked_.insert(socket.local_port);
  }

  /// A bound idle socket that an earlier pass saw and this one did not ask for.
  void add_remembered_idle(const Socket& socket) {
    in_use_.insert(socket.local_port);
    known_blocked_.insert(socket.local_port);
  }

  /// A connection that was explicitly bound; may come again in add().
  void add_explicit_bind(const Socket& socket) {
    explicit_binds_.see(socket);
    known_blocked_.insert(socket.local_port);
  }

  /// A connection of either side.
  void add(const Socket& socket, bool is_server) {
    in_use_.insert(socket.local_port);
    if (explicit_binds_.confirm(socket)) proven_.insert(socket.local_port);
    if (!is_server && conditions_.ports.in_range(socket.local_port)) add_to_tuple(socket);
  }

  /// After a whole pass: what it says, with the `limit` tuples of the highest usage. Once a pass.
  ConnectReport end_pass(std::size_t limit);

 private:
  /// Ports of one tuple in one class; those in known_blocked_ are in none.
  struct Counts {
    std::uint32_t held = 0;      ///< by a socket that keeps them from connect()
    std::uint32_t reusable = 0;  ///< by a TIME-WAIT socket that connect() may take over
  };
  struct Usage {
    TupleStates states;
    Counts preferred;
    Counts chosen;     ///< of the other half, known to have been chosen by connect()
    Counts ambiguous;  ///< of the other half, by connect() or by bind(addr, 0)
    Counts kept;       ///< of the other half, taken to be bind()'s and the same since
  };
  using Tuples = HeavyHitters<ConnectTuple, Usage>;

  /// What earlier passes taught about ports that have been in use at each pass since.
  struct History {
    std::optional<PortRange> range;
    PortSet in_use;
    PortSet blocked;                    ///< were closed to every destination
    PortSet inferred;                   ///< the last pass inferred that
    PortSet chosen_by_connect;          ///< of the half that connect() tries last, yet it took them
    PortSet by_parity;                  ///< of that half, taken to be bind()'s
    std::vector<std::uint32_t> tuples;  ///< by port, of those: the hash of the owner's tuple
  };

  /// One socket of an ambiguous port: the one that it was inferred with, else the one whose tuple
  /// has the most ports in the preferred half, else the first.
  struct Owner {
    std::uint32_t tuple = 0;
    std::uint32_t hash = 0;  ///< of that tuple; with the port it stands for the quadruplet
    bool reusable = false;
    bool minisock = false;
    bool kept = false;  ///< the last pass took the port to be bind()'s, with this quadruplet
  };

  void add_to_tuple(const Socket& socket);
  void add_ambiguous(std::uint16_t port, const Owner& socket);
  void share(std::uint16_t port, const Owner& socket);
  void relearn_halves();
  bool is_spilled(const Usage& usage) const;
  Counts open_ports(const Usage& usage) const;
  std::uint64_t used_ports(const Usage& usage) const;
  PortSet compute_chosen() const;
  void fill_tuples(std::size_t limit, ConnectReport& report) const;

  Conditions conditions_;
  Tuples tuples_;
  ExplicitBinds explicit_binds_;
  History history_;

  // Of the pass under way.
  PortSet in_use_;         ///< by connections and by remembered idle sockets
  PortSet proven_;         ///< observed to be closed
  PortSet known_blocked_;  ///< closed, by observation or by history, before the connections came
  PortSet owned_;          ///< ambiguous ports; they have an owner
  PortSet shared_;         ///< of these, with two sockets of one local address
  std::vector<Owner> owners_;  ///< by port

  // At the end of the pass.
  std::size_t capacity_ = 0;
  std::size_t in_use_capacity_ = 0;
  std::size_t known_ = 0;    ///< capacity ports that are closed by observation or by history
  std::size_t blocked_ = 0;  ///< these and those that parity tells
  std::size_t preferred_capacity_ = 0;
  std::size_t preferred_blocked_ = 0;
};

}  // namespace timewait
