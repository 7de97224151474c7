#include "collectors/model/connect_ports.h"

#include <algorithm>
#include <compare>
#include <tuple>

#include "collectors/model/top.h"

namespace timewait {

void ConnectPorts::begin_pass(const Conditions& conditions) {
  conditions_ = conditions;
  if (history_.range != conditions.ports.range) relearn_halves();
  tuples_.clear();
  in_use_.clear();
  proven_.clear();
  owned_.clear();
  shared_.clear();
  known_blocked_ = history_.blocked | explicit_binds_.ports();
}

/// Where the range has moved, ports may have changed halves while sockets hold them: what a
/// connect() took as preferred is no sign of a bind() now, and what was closed stays so.
void ConnectPorts::relearn_halves() {
  if (history_.range) {
    history_.blocked |= history_.inferred;
    EphemeralPorts before;
    before.range = *history_.range;
    history_.in_use.for_each([&](std::uint16_t port) {
      if (!history_.blocked.contains(port) && (!before.in_range(port) || before.is_preferred(port)))
        history_.chosen_by_connect.insert(port);
    });
  }
  history_.range = conditions_.ports.range;
}

void ConnectPorts::add_to_tuple(const Socket& socket) {
  const std::uint16_t port = socket.local_port;
  auto& entry = tuples_.add({socket.local, socket.remote, socket.remote_port});
  entry.value.states.add(socket.state);
  // A socket in CLOSE has left the table of connections or is not in it yet.
  if (socket.state == TcpState::kClose || !conditions_.ports.capacity.contains(port) ||
      known_blocked_.contains(port)) {
    return;
  }
  const bool reusable = conditions_.reuse.is_reusable(socket);
  const auto count = [&](Counts& counts) { ++(reusable ? counts.reusable : counts.held); };
  if (!conditions_.has_preferred_half || conditions_.ports.is_preferred(port)) {
    count(entry.value.preferred);
  } else if (history_.chosen_by_connect.contains(port)) {
    count(entry.value.chosen);
  } else {
    const bool kept = history_.by_parity.contains(port) && history_.tuples[port] == entry.hash;
    count(kept ? entry.value.kept : entry.value.ambiguous);
    add_ambiguous(port, {tuples_.index_of(entry), entry.hash, reusable, socket.is_minisock, kept});
  }
}

void ConnectPorts::add_ambiguous(std::uint16_t port, const Owner& socket) {
  Owner& owner = owners_[port];
  const bool has_owner = owned_.contains(port);
  // Two minisocks may also be left of explicit binds with SO_REUSEADDR, which no walk finds.
  const bool tells = !owner.minisock || !socket.minisock || shared_.contains(port);
  if (has_owner && tells && tuples_[owner.tuple].key.local == tuples_[socket.tuple].key.local) {
    if (!shared_.contains(port)) share(port, owner);
    share(port, socket);
    return;
  }
  const auto preferred = [&](const Owner& each) {
    return tuples_[each.tuple].value.preferred.held;
  };
  if (has_owner && !socket.kept && (owner.kept || preferred(socket) <= preferred(owner))) return;
  owned_.insert(port);
  owner = socket;
}

/// Moves one port of a tuple to those that connect() chose.
void ConnectPorts::share(std::uint16_t port, const Owner& socket) {
  shared_.insert(port);
  Usage& usage = tuples_[socket.tuple].value;
  Counts& from = socket.kept ? usage.kept : usage.ambiguous;
  auto& count = socket.reusable ? from.reusable : from.held;
  if (count == 0) return;  // the entry has been taken over since
  --count;
  ++(socket.reusable ? usage.chosen.reusable : usage.chosen.held);
}

/// True for a tuple whose next connect() finds no port in the preferred half. In a range of odd
/// size one search looks at one port less (__inet_hash_connect(): `remaining &= ~1U`).
bool ConnectPorts::is_spilled(const Usage& usage) const {
  const PortRange& range = conditions_.ports.range;
  const std::size_t unseen = (range.high - range.low) % 2 == 0 ? 1 : 0;
  return usage.preferred.held + usage.preferred.reusable + preferred_blocked_ + unseen >=
         preferred_capacity_;
}

/// The tuple's ports beyond the blocked ones.
ConnectPorts::Counts ConnectPorts::open_ports(const Usage& usage) const {
  Counts open{usage.preferred.held + usage.chosen.held,
              usage.preferred.reusable + usage.chosen.reusable};
  // Its ambiguous ports count as chosen by connect(), and as blocked for every other tuple.
  if (is_spilled(usage)) {
    open.held += usage.ambiguous.held;
    open.reusable += usage.ambiguous.reusable;
  }
  return open;
}

/// Between the bounds that are certain, whatever was made of an ambiguous port: it is one port, and
/// it is closed to each tuple that holds it.
std::uint64_t ConnectPorts::used_ports(const Usage& usage) const {
  const std::uint64_t estimate = blocked_ + open_ports(usage).held;
  const std::uint64_t own =
      usage.preferred.held + usage.chosen.held + usage.ambiguous.held + usage.kept.held;
  return std::min<std::uint64_t>(in_use_capacity_, std::max(estimate, known_ + own));
}

/// Ports of the half that is tried last which connect() has chosen all the same.
PortSet ConnectPorts::compute_chosen() const {
  PortSet chosen = (history_.chosen_by_connect & in_use_) | shared_;
  owned_.for_each([&](std::uint16_t port) {
    const Owner& owner = owners_[port];
    if (!owner.kept && is_spilled(tuples_.entries()[owner.tuple].value)) chosen.insert(port);
  });
  return chosen - known_blocked_;
}

ConnectReport ConnectPorts::end_pass(std::size_t limit) {
  const PortSet& capacity = conditions_.ports.capacity;
  const PortSet preferred =
      conditions_.has_preferred_half ? conditions_.ports.preferred() : capacity;
  const PortSet remembered = known_blocked_ & in_use_;
  preferred_capacity_ = preferred.size();
  preferred_blocked_ = ((proven_ | remembered) & preferred).size();

  const PortSet chosen = compute_chosen();
  ConnectReport report;
  report.blocked.observed = proven_ & capacity;
  report.blocked.inferred = remembered;
  if (conditions_.has_preferred_half) report.blocked.inferred |= owned_ - chosen;
  report.blocked.inferred &= capacity;
  report.blocked.inferred -= proven_;

  capacity_ = capacity.size();
  in_use_capacity_ = ((proven_ | in_use_) & capacity).size();
  known_ = ((proven_ | remembered) & capacity).size();
  blocked_ = report.blocked.observed.size() + report.blocked.inferred.size();
  fill_tuples(limit, report);

  history_.in_use = in_use_;
  history_.blocked = proven_ | remembered;
  history_.inferred = report.blocked.inferred;
  history_.chosen_by_connect = chosen;
  history_.by_parity = owned_ - chosen;
  history_.by_parity.for_each(
      [&](std::uint16_t port) { history_.tuples[port] = owners_[port].hash; });
  explicit_binds_.end_pass();
  return report;
}

void ConnectPorts::fill_tuples(std::size_t limit, ConnectReport& report) const {
  const auto entries = tuples_.entries();
  std::uint64_t used_max = 0;
  std::uint64_t preferred_max = 0;
  for (const auto& entry : entries) {
    used_max = std::max(used_max, used_ports(entry.value));
    preferred_max =
        std::max<std::uint64_t>(preferred_max, preferred_blocked_ + entry.value.preferred.held);
  }
  report.tuples = tuples_.distinct();
  report.sockets = tuples_.total();
  report.error_bound = tuples_.error_bound();
  report.usage_ratio_max = entries.empty() ? 0 : compute_usage_ratio(used_max, capacity_);
  if (conditions_.has_preferred_half && preferred_capacity_ > 0) {
    report.preferred_usage_ratio_max =
        entries.empty() ? 0
                        : std::min(1.0, compute_usage_ratio(preferred_max, preferred_capacity_));
  }

  const auto rank = [&](std::uint32_t index) {
    const Usage& usage = entries[index].value;
    return std::tuple(used_ports(usage), open_ports(usage).reusable, usage.states.sum());
  };
  const auto top = compute_top(entries.size(), limit, [&](std::uint32_t left, std::uint32_t right) {
    const auto order = rank(left) <=> rank(right);
    return std::is_neq(order) ? std::is_gt(order) : entries[left].key < entries[right].key;
  });
  report.top.reserve(top.size());
  for (const std::uint32_t index : top) {
    const Usage& usage = entries[index].value;
    report.top.push_back({entries[index].key, usage.states, used_ports(usage),
                          std::min<std::uint64_t>(capacity_, open_ports(usage).reusable)});
  }
}

}  // namespace timewait
