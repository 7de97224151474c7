// The model of ports against a kernel that knows what a dump does not show. Programs and remote
// hosts do random things there; now and then its dump goes through SocketTable, and what comes out
// is compared with what the kernel would do.

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "collectors/model/socket_table.h"
#include "tests/support/seed.h"
#include "tests/support/sockets.h"
#include "tests/unit/collectors/simulated_kernel.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::SimulatedKernel;
using Port = SimulatedKernel::Port;
using Ports = std::set<Port>;

constexpr std::size_t kEverything = 100'000;
constexpr std::size_t kFewTuples = 3;

Ports operator&(const Ports& left, const Ports& right) {
  Ports both;
  std::ranges::set_intersection(left, right, std::inserter(both, both.end()));
  return both;
}
Ports operator|(Ports left, const Ports& right) {
  left.insert(right.begin(), right.end());
  return left;
}
Ports operator-(const Ports& left, const Ports& right) {
  Ports rest;
  std::ranges::set_difference(left, right, std::inserter(rest, rest.end()));
  return rest;
}
Ports set_of(const PortSet& ports) {
  Ports set;
  ports.for_each([&](Port port) { set.insert(port); });
  return set;
}

std::string text(const Ports& ports) {
  std::string list;
  for (const Port port : ports) list += " " + std::to_string(port);
  return "{" + list + " }";
}
std::string text(const ConnectTuple& tuple) {
  return to_string(tuple.local) + " to " + to_string(tuple.remote) + " port " +
         std::to_string(tuple.remote_port);
}

/// What programs do at random.
class Programs {
 public:
  explicit Programs(SimulatedKernel& kernel) : kernel_(kernel) {}

  void act() {
    const unsigned chance = kernel_.below(100);
    if (chance < 40) {
      kernel_.connect(some_tuple());
    } else if (chance < 50) {
      bind(0);
    } else if (chance < 55) {
      const PortRange range = kernel_.settings().range;
      bind(static_cast<Port>(range.low - 3 + kernel_.below(range.high - range.low + 6U)));
    } else if (chance < 65) {
      accept();
    } else if (chance < 95) {
      if (const auto id = kernel_.pick([](const auto&) { return true; })) kernel_.change(*id);
    } else {
      kernel_.advance(SimulatedKernel::Milliseconds(kernel_.below(4000)));
    }
  }

 private:
  const Address& one_of(const std::vector<Address>& addresses) {
    return addresses[kernel_.below(static_cast<unsigned>(addresses.size()))];
  }

  ConnectTuple some_tuple() {
    return some_tuple(kernel_.below(3) == 0 ? Family::kIpv6 : Family::kIpv4);
  }
  ConnectTuple some_tuple(Family family) {
    const bool is_ipv4 = family == Family::kIpv4;
    return {one_of(is_ipv4 ? kLocalIpv4 : kLocalIpv6), one_of(is_ipv4 ? kRemoteIpv4 : kRemoteIpv6),
            static_cast<Port>(80 + kernel_.below(2))};
  }

  /// The socket connects, listens or does nothing.
  void bind(Port port) {
    Address local = one_of(kernel_.below(3) == 0 ? kLocalIpv6 : kLocalIpv4);
    if (kernel_.below(4) == 0) local = Address::any(local.family());
    const auto id = kernel_.bind(local, kernel_.below(2) == 0, port);
    if (!id) return;
    const unsigned chance = kernel_.below(10);
    if (chance < 6) {
      ConnectTuple tuple = some_tuple(local.family());
      if (!local.is_any()) tuple.local = local;
      kernel_.connect_bound(*id, tuple);
    } else if (chance < 8) {
      kernel_.listen(*id);
    }
  }

  void accept() {
    const auto listener =
        kernel_.pick([](const auto& held) { return held.socket.state == TcpState::kListen; });
    if (!listener) return;
    const Socket& socket = kernel_.sockets().at(*listener).socket;
    Family family = socket.local.family();
    const bool is_dual = socket.local.is_any() && !socket.ipv6_only.value_or(true);
    if (is_dual && kernel_.below(2) == 0) family = Family::kIpv4;
    const ConnectTuple peer = some_tuple(family);
    kernel_.accept(*listener, socket.local.is_any() ? peer.local : socket.local, peer.remote,
                   static_cast<Port>(1024 + kernel_.below(1000)));
  }

  inline static const std::vector<Address> kLocalIpv4{address("10.0.0.1"), address("10.0.0.2"),
                                                      address("127.0.0.1")};
  inline static const std::vector<Address> kLocalIpv6{address("fd00::1"), address("::1")};
  inline static const std::vector<Address> kRemoteIpv4{
      address("198.51.100.7"), address("::ffff:198.51.100.8"), address("127.0.0.1")};
  inline static const std::vector<Address> kRemoteIpv6{address("2001:db8::7"), address("::1")};

  SimulatedKernel& kernel_;
};

/// Listening sockets of the last 60 seconds: who belongs to the server side.
class Roles {
 public:
  void see(const SimulatedKernel& kernel) {
    std::erase_if(listeners_, [&](const auto& each) { return kernel.now() - each.second > 60s; });
    for (const auto& [id, held] : kernel.sockets()) {
      const Socket& socket = held.socket;
      if (socket.state != TcpState::kListen) continue;
      const Key key{socket.local, socket.ipv6_only.value_or(false), socket.local_port};
      listeners_[key] = kernel.now();
    }
  }

  bool is_server(const Socket& socket) const {
    return std::ranges::any_of(listeners_, [&](const auto& each) {
      const auto& [local, ipv6_only, port] = each.first;
      return port == socket.local_port &&
             (local == socket.local ||
              (local.is_any() && test::overlap(local, ipv6_only, socket.local, true)));
    });
  }

 private:
  using Key = std::tuple<Address, bool, Port>;
  std::map<Key, SimulatedKernel::Milliseconds> listeners_;
};

/// One tuple of the connect side, by its sockets.
struct Owned {
  TupleStates states;
  Ports held;      ///< capacity ports that no connect() of it may choose for its own sockets
  Ports reusable;  ///< capacity ports that it would take from TIME-WAIT
};

/// What a dump shows, reckoned from the rule with sets alone.
struct Truth {
  Ports capacity;
  Ports preferred;
  Ports in_use;  ///< of the capacity
  Ports idle;    ///< the same, by listening and bound idle sockets
  Ports closed;  ///< the same, by their bucket
  std::map<ConnectTuple, Owned> tuples;
  std::map<ServerTuple, TupleStates> servers;
  std::size_t client_sockets = 0;
  std::size_t server_sockets = 0;
};

Truth look_at(const SimulatedKernel& kernel, const Roles& roles) {
  Truth truth;
  truth.capacity = kernel.capacity();
  for (const Port port : truth.capacity) {
    if (kernel.is_preferred(port) || !kernel.settings().has_halves) truth.preferred.insert(port);
    const auto bucket = kernel.buckets().find(port);
    if (bucket == kernel.buckets().end()) continue;
    truth.in_use.insert(port);
    if (bucket->second.is_closed) truth.closed.insert(port);
  }
  const PortRange range = kernel.settings().range;
  for (const auto& [id, held] : kernel.sockets()) {
    const Socket& socket = held.socket;
    const Port port = socket.local_port;
    if (is_idle(socket.state)) {
      if (truth.capacity.contains(port)) truth.idle.insert(port);
    } else if (roles.is_server(socket)) {
      truth.servers[{socket.local, socket.remote, port}].add(socket.state);
      ++truth.server_sockets;
    } else if (port >= range.low && port <= range.high) {
      Owned& owned = truth.tuples[{socket.local, socket.remote, socket.remote_port}];
      owned.states.add(socket.state);
      ++truth.client_sockets;
      if (truth.capacity.contains(port)) {
        (kernel.is_reusable(held) ? owned.reusable : owned.held).insert(port);
      }
    }
  }
  return truth;
}

/// Which ports' buckets no dump can tell, so that the model may err there.
class Unknowable {
 public:
  /// After each poll's dump: `walked` for explicit binds.
  void see(const SimulatedKernel& kernel, const Truth& truth, const Roles& roles, bool walked) {
    forget_old_buckets(kernel);
    for (const auto& [id, held] : kernel.sockets()) {
      const Socket& socket = held.socket;
      const bool is_full = !is_idle(socket.state) && !socket.is_minisock;
      if (is_idle(socket.state) || (held.explicit_bind && is_full && walked)) {
        seen_closed_.insert(socket.local_port);
      }
      // Taken for an accepted one, because something listened there lately.
      if (!held.is_accepted && !is_idle(socket.state) && roles.is_server(socket))
        unknowable_.insert(socket.local_port);
    }
    inferred_.clear();
    const bool has_halves = kernel.settings().has_halves;
    for (const auto& [port, bucket] : kernel.buckets()) {
      const bool is_preferred = !has_halves || kernel.is_preferred(port);
      const bool is_hidden = bucket.is_closed && !seen_closed_.contains(port);
      const bool was_open = not_from_bind_.contains(port);
      if (bucket.has_spilled || bucket.has_reopened || (is_hidden && (is_preferred || was_open))) {
        unknowable_.insert(port);
      }
      if (is_hidden && !is_preferred && truth.capacity.contains(port)) inferred_.insert(port);
    }
    see_spills(kernel, truth);
  }

  void see_moved_range(const SimulatedKernel& kernel) {
    seen_closed_ = seen_closed_ | inferred_;
    // Chosen from the old range, but first seen when the new one was in force.
    for (const auto& [port, bucket] : kernel.buckets()) {
      if (!seen_closed_.contains(port)) not_from_bind_.insert(port);
      const auto before = generations_.find(port);
      if (before == generations_.end() || before->second != bucket.generation) {
        unknowable_.insert(port);
      }
    }
  }

  const Ports& ports() const { return unknowable_; }

 private:
  void forget_old_buckets(const SimulatedKernel& kernel) {
    std::map<Port, unsigned> generations;
    for (const auto& [port, bucket] : kernel.buckets()) {
      generations[port] = bucket.generation;
      const auto before = generations_.find(port);
      const bool is_same = before != generations_.end() && before->second == bucket.generation;
      if (!is_same) seen_closed_.erase(port);
      if (!is_same) not_from_bind_.erase(port);
      // Another bucket than at the last poll, but to the dump the port stayed in use.
      if (!is_same && before != generations_.end()) unknowable_.insert(port);
    }
    std::erase_if(unknowable_, [&](Port port) { return !generations.contains(port); });
    std::erase_if(not_from_bind_, [&](Port port) { return !generations.contains(port); });
    std::erase_if(seen_closed_, [&](Port port) { return !generations.contains(port); });
    generations_ = generations;
  }

  /// Ports that look as if connect() had chosen them: their tuple has filled its preferred half, or
  /// two sockets of one address share them.
  void see_spills(const SimulatedKernel& kernel, const Truth& truth) {
    std::map<std::pair<Port, Address>, unsigned> sharers;
    for (const auto& [tuple, owned] : truth.tuples) {
      const Ports own = owned.held | owned.reusable;
      const Ports filled = truth.preferred & (own | truth.closed | unknowable_);
      for (const Port port : own - truth.preferred) {
        const bool is_shared = ++sharers[{port, tuple.local}] > 1;
        const bool looks_spilled = filled.size() + 1 >= truth.preferred.size();
        if ((is_shared || looks_spilled) && !seen_closed_.contains(port) &&
            kernel.settings().has_halves) {
          unknowable_.insert(port);
          inferred_.erase(port);
        }
      }
    }
  }

  Ports unknowable_;
  Ports seen_closed_;    ///< known at some poll since the bucket was made
  Ports inferred_;       ///< told by their parity at the last poll
  Ports not_from_bind_;  ///< by what was known when the range moved
  std::map<Port, unsigned> generations_;
};

struct Counted {
  unsigned polls = 0;
  unsigned exact_polls = 0;
  unsigned tuples = 0;
  unsigned inferred = 0;
  unsigned reusable = 0;
  unsigned full = 0;
  unsigned over_limit = 0;
};

/// One kernel, the model that looks at it, and what went wrong first.
class Life {
 public:
  Life(const SimulatedKernel::Settings& settings, unsigned seed)
      : kernel_(settings, seed), programs_(kernel_) {}

  /// Empty where all is well.
  std::string go(unsigned polls, unsigned acts, Counted& counted) {
    for (unsigned poll = 0; poll < polls && wrong_.str().empty(); ++poll) {
      for (unsigned i = 0; i < acts; ++i) programs_.act();
      if (kernel_.below(8) == 0) kernel_.advance(30s);
      if (kernel_.below(15) == 0) move_range();
      check_poll(counted);
      if (wrong_.str().empty()) continue;
      wrong_ << "at poll " << poll << ", range " << kernel_.settings().range.low << " to "
             << kernel_.settings().range.high << "\n";
    }
    return wrong_.str();
  }

 private:
  void move_range() {
    PortRange range = kernel_.settings().range;
    const auto by = static_cast<Port>(1 + kernel_.below(3));
    range.low = static_cast<Port>(range.low + by);
    range.high = static_cast<Port>(range.high + by);
    kernel_.move_range(range);
    unknowable_.see_moved_range(kernel_);
  }

  ConnectPorts::Conditions conditions() const {
    PortSet reserved;
    for (const Port port : kernel_.settings().reserved) reserved.insert(port);
    const TimeWaitReuse::Age age{.in_whole_seconds = false,
                                 .delay = kernel_.settings().reuse_delay};
    return {.ports = compute_ephemeral_ports(kernel_.settings().range, reserved),
            .reuse = {kernel_.settings().reuse, age, Listeners::Time(kernel_.now())},
            .has_preferred_half = kernel_.settings().has_halves};
  }

  PortReport dump_through(SocketTable& table, bool walk, std::size_t limit) {
    std::vector<Socket> connections;
    table.begin_pass(Listeners::Time(kernel_.now()), conditions());
    for (const auto& [id, held] : kernel_.sockets()) {
      Socket socket = held.socket;
      if (is_idle(socket.state)) {
        table.add(socket);
        continue;
      }
      if (socket.is_minisock) {
        socket.expires_in =
            std::chrono::duration_cast<decltype(socket.expires_in)>(held.ends - kernel_.now());
      }
      connections.push_back(socket);
    }
    for (const auto& [id, held] : kernel_.sockets()) {
      const Socket& socket = held.socket;
      const bool is_full = !is_idle(socket.state) && !socket.is_minisock;
      if (walk && is_full && held.explicit_bind) table.add_explicit_bind(socket);
    }
    std::ranges::shuffle(connections, kernel_.random());
    for (const Socket& socket : connections) table.add(socket);
    return table.end_pass(limit);
  }

  void check_poll(Counted& counted) {
    const bool walk = kernel_.below(3) != 0;
    roles_.see(kernel_);
    truth_ = look_at(kernel_, roles_);
    unknowable_.see(kernel_, truth_, roles_, walk);
    const PortReport report = dump_through(table_, walk, kEverything);
    ++counted.polls;
    check_blocked(*report.connect, counted);
    check_tuples(*report.connect, counted);
    check_bind(*report.bind);
    check_server(report.server);
    check_few(dump_through(few_, walk, kEverything), counted);
  }

  void check_blocked(const ConnectReport& report, Counted& counted) {
    const Ports observed = set_of(report.blocked.observed);
    const Ports inferred = set_of(report.blocked.inferred);
    expect((observed & inferred).empty(), "evidence of both kinds", observed & inferred);
    expect(((observed | inferred) - truth_.in_use).empty(), "blocked, but not in use",
           (observed | inferred) - truth_.in_use);
    expect((truth_.idle - observed).empty(), "idle, but not observed", truth_.idle - observed);
    const Ports& doubtful = unknowable_.ports();
    expect((observed - truth_.closed - doubtful).empty(), "observed, but open",
           observed - truth_.closed - doubtful);
    expect((inferred - truth_.closed - doubtful).empty(), "inferred, but open",
           inferred - truth_.closed - doubtful);
    const Ports missed = truth_.closed - observed - inferred - doubtful;
    expect(missed.empty(), "closed, but neither observed nor inferred", missed);
    counted.inferred += static_cast<unsigned>((inferred - doubtful).size());
  }

  /// Ports that several addresses hold, of which nobody knows who chose them.
  bool is_disputed() const {
    std::map<Port, std::set<Address>> holders;
    for (const auto& [tuple, owned] : truth_.tuples) {
      for (const Port port : (owned.held | owned.reusable) & unknowable_.ports()) {
        holders[port].insert(tuple.local);
      }
    }
    return std::ranges::any_of(holders, [](const auto& each) { return each.second.size() > 1; });
  }

  void check_tuples(const ConnectReport& report, Counted& counted) {
    expect_equal(report.tuples, truth_.tuples.size(), "tuples");
    expect_equal(report.sockets, truth_.client_sockets, "sockets of the connect side");
    expect_equal(report.error_bound, 0, "the error bound");
    expect_equal(report.top.size(), truth_.tuples.size(), "tuples shown");
    const bool is_exact = (unknowable_.ports() & truth_.capacity).empty();
    counted.exact_polls += is_exact ? 1 : 0;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < report.top.size(); ++i) {
      const ConnectUsage& usage = report.top[i];
      most = std::max(most, usage.used);
      if (i > 0) expect(usage.used <= report.top[i - 1].used, "not the highest usage first");
      check_tuple(usage, report.blocked, is_exact, counted);
    }
    const double capacity = static_cast<double>(truth_.capacity.size());
    const double ratio = report.top.empty() ? 0
                         : capacity == 0    ? 1
                                            : static_cast<double>(most) / capacity;
    expect(report.usage_ratio_max == ratio, "usage_ratio_max is not that of the highest tuple");
    check_preferred(report);
  }

  void check_tuple(const ConnectUsage& usage, const BlockedPorts& blocked, bool is_exact,
                   Counted& counted) {
    const std::string name = text(usage.tuple);
    const auto found = truth_.tuples.find(usage.tuple);
    if (found == truth_.tuples.end()) return expect(false, name + " does not exist");
    const Owned& owned = found->second;
    expect(usage.states.counts() == owned.states.counts(), "states of " + name);
    const Ports observed = set_of(blocked.observed);
    expect(usage.used >= (observed | owned.held).size(),
           name + " has " + std::to_string(usage.used) + " used, but holds", observed | owned.held);
    expect(usage.used <= truth_.in_use.size(),
           name + " has " + std::to_string(usage.used) + " used, but in use are", truth_.in_use);
    const Ports closed = observed | set_of(blocked.inferred);
    if (!is_disputed()) {
      expect_equal(usage.used, (closed | owned.held).size(),
                   "used by " + name + ", which holds " + text(owned.held) + ", blocked are " +
                       text(closed));
      expect_equal(usage.reusable, (owned.reusable - closed).size(), "reusable by " + name);
    }
    ++counted.tuples;
    counted.reusable += usage.reusable > 0 ? 1 : 0;
    if (!is_exact) return;
    const auto open = static_cast<std::size_t>(std::ranges::count_if(
        truth_.capacity, [&](Port port) { return kernel_.can_connect(usage.tuple, port); }));
    expect_equal(truth_.capacity.size() - usage.used, open,
                 "what connect() can still choose: " + name);
    counted.full += open == 0 ? 1 : 0;
  }

  void check_preferred(const ConnectReport& report) {
    if (!kernel_.settings().has_halves || truth_.preferred.empty()) {
      return expect(!report.preferred_usage_ratio_max, "a ratio of a half that does not exist");
    }
    const Ports closed = set_of(report.blocked.observed) | set_of(report.blocked.inferred);
    std::size_t most = 0;
    for (const auto& [tuple, owned] : truth_.tuples) {
      most = std::max(most, ((owned.held | closed) & truth_.preferred).size());
    }
    const double ratio = static_cast<double>(most) / static_cast<double>(truth_.preferred.size());
    expect(std::abs(report.preferred_usage_ratio_max.value_or(-1) - ratio) < 1e-9,
           "the preferred ratio is " +
               std::to_string(report.preferred_usage_ratio_max.value_or(-1)) + ", expected " +
               std::to_string(ratio));
  }

  /// A dump does not tell that these leave their port to 0.0.0.0.
  std::size_t ports_of_bound_ipv6_connections() const {
    std::set<std::uint16_t> ports;
    for (const auto& [id, held] : kernel_.sockets()) {
      const bool is_ipv6 = held.socket.local.family() == Family::kIpv6;
      if (is_ipv6 && held.ipv6_only && !is_idle(held.socket.state)) {
        ports.insert(held.socket.local_port);
      }
    }
    return ports.size();
  }

  void check_bind(const BindReport& report) {
    std::set<Address> addresses;
    for (const auto& [id, held] : kernel_.sockets()) {
      addresses.insert(held.socket.local);
      addresses.insert(Address::any(held.socket.local.family()));
    }
    expect_equal(report.addresses, addresses.size(), "local addresses");
    expect_equal(report.top.size(), addresses.size(), "local addresses shown");
    std::size_t most = 0;
    for (const BindUsage& usage : report.top) {
      const auto closed = static_cast<std::size_t>(std::ranges::count_if(
          truth_.capacity, [&](Port port) { return !kernel_.can_bind(usage.local, false, port); }));
      const std::string what = "ports that bind() cannot take on " + to_string(usage.local);
      if (usage.local == Address::any(Family::kIpv4)) {
        expect(usage.used >= closed && usage.used <= closed + ports_of_bound_ipv6_connections(),
               what + ": " + std::to_string(usage.used) + " is too far from " +
                   std::to_string(closed));
      } else {
        expect_equal(usage.used, closed, what);
      }
      expect(addresses.contains(usage.local), to_string(usage.local) + " has no socket");
      most = std::max(most, closed);
    }
    expect_equal(report.used_max, most, "used_max of bind()");
  }

  void check_server(const ServerReport& report) {
    expect_equal(report.tuples, truth_.servers.size(), "tuples of the server side");
    expect_equal(report.sockets, truth_.server_sockets, "sockets of the server side");
    for (const ServerUsage& usage : report.top) {
      const std::string name = to_string(usage.tuple.local) + " port " +
                               std::to_string(usage.tuple.local_port) + " with " +
                               to_string(usage.tuple.remote);
      const auto found = truth_.servers.find(usage.tuple);
      if (found == truth_.servers.end()) return expect(false, name + " does not exist");
      expect_equal(usage.used, found->second.sum(), "used by " + name);
      expect(usage.states.counts() == found->second.counts(), "states of " + name);
    }
  }

  /// With room for a few tuples only.
  void check_few(const PortReport& few, Counted& counted) {
    const ConnectReport& report = *few.connect;
    expect_equal(report.sockets, truth_.client_sockets, "sockets, with few tuples");
    expect(report.error_bound <= truth_.client_sockets / kFewTuples, "the error bound is too high");
    counted.over_limit += report.error_bound > 0 ? 1 : 0;
    expect(report.tuples >= report.top.size(), "more tuples are shown than there are");
    std::set<ConnectTuple> shown;
    const Ports observed = set_of(report.blocked.observed);
    for (const ConnectUsage& usage : report.top) {
      shown.insert(usage.tuple);
      const Owned& owned = truth_.tuples.at(usage.tuple);
      const std::string name = text(usage.tuple) + ", with few tuples,";
      const std::uint64_t lacking = owned.states.sum() - usage.states.sum();
      expect(lacking <= report.error_bound, name + " lacks " + std::to_string(lacking));
      expect(usage.used + report.error_bound >= (observed | owned.held).size(),
             name + " has " + std::to_string(usage.used) + " used, but holds", owned.held);
      expect(usage.used <= truth_.in_use.size(),
             name + " has " + std::to_string(usage.used) + " used, but in use are", truth_.in_use);
    }
    for (const auto& [tuple, owned] : truth_.tuples) {
      expect(owned.states.sum() <= truth_.client_sockets / kFewTuples || shown.contains(tuple),
             text(tuple) + " is heavy, but not shown");
    }
  }

  void expect(bool holds, const std::string& what) {
    if (!holds) wrong_ << what << "\n";
  }
  void expect(bool holds, const std::string& what, const Ports& ports) {
    if (holds) return;
    wrong_ << what << " " << text(ports) << "\n";
    for (const auto& [id, held] : kernel_.sockets()) {
      const Socket& socket = held.socket;
      if (!ports.contains(socket.local_port) || ports.size() > 3) continue;
      wrong_ << "  port " << socket.local_port << ": "
             << text(ConnectTuple{socket.local, socket.remote, socket.remote_port}) << ", state "
             << static_cast<int>(socket.state) << (held.by_connect ? ", by connect()" : "")
             << (held.explicit_bind ? ", explicit bind" : "")
             << (roles_.is_server(socket) ? ", server" : "") << "\n";
    }
  }
  void expect_equal(std::uint64_t got, std::uint64_t expected, const std::string& what) {
    if (got != expected) wrong_ << what << ": expected " << expected << ", got " << got << "\n";
  }

  SimulatedKernel kernel_;
  Programs programs_;
  Roles roles_;
  Unknowable unknowable_;
  Truth truth_;
  SocketTable table_{kEverything};
  SocketTable few_{kFewTuples};
  std::ostringstream wrong_;
};

SimulatedKernel::Settings draw_settings(unsigned seed) {
  std::mt19937 random(seed);
  SimulatedKernel::Settings settings;
  const bool is_roomy = random() % 2 == 0;
  settings.range.low = static_cast<Port>(40000 + random() % 2);
  const auto size = static_cast<unsigned>(is_roomy ? 60 + random() % 40 : 1 + random() % 24);
  settings.range.high = static_cast<Port>(settings.range.low + size - 1);
  for (auto i = random() % 5; i > 0; --i) {
    settings.reserved.insert(static_cast<Port>(39998 + random() % (size + 4)));
  }
  settings.has_halves = random() % 6 != 0;
  settings.reopens = random() % 4 == 0;
  settings.reuse = static_cast<TimeWaitReuse::Scope>(random() % 3);
  return settings;
}

TEST(PortModel, AgreesWithTheKernel) {
#ifdef TIMEWAIT_SANITIZED
  constexpr unsigned kRuns = 40;  // a run takes twenty times as long
#else
  constexpr unsigned kRuns = 200;
#endif
  const unsigned first = test::choose_seed();
  Counted counted;
  for (unsigned i = 0; i < kRuns; ++i) {
    const unsigned seed = first + i;
    Life life(draw_settings(seed), seed);
    const std::string wrong = life.go(12, 25, counted);
    ASSERT_EQ(wrong, "") << "TIMEWAIT_SEED=" << seed << " repeats it at once";
  }
  // That it compared something: with the right answers alone each of these is far higher.
  EXPECT_GT(counted.exact_polls, counted.polls / 20) << "of " << counted.polls;
  EXPECT_GT(counted.tuples, 10 * kRuns);
  EXPECT_GT(counted.inferred, kRuns);
  EXPECT_GT(counted.reusable, kRuns / 4);
  EXPECT_GT(counted.full, 0U);
  EXPECT_GT(counted.over_limit, kRuns);
  std::cout << counted.exact_polls << " of " << counted.polls << " polls were exact, "
            << counted.full << " tuples full, " << counted.inferred << " ports inferred, "
            << counted.reusable << " tuples with reusable ports\n";
}

}  // namespace
}  // namespace timewait
