#include "tests/unit/collectors/simulated_kernel.h"

#include <algorithm>

namespace timewait::test {

namespace {

constexpr SimulatedKernel::Milliseconds kTimeWaitLength{60'000};

bool is_connection(const Socket& socket) { return !is_idle(socket.state); }

}  // namespace

bool overlap(const Address& left, bool left_ipv6_only, const Address& right, bool right_ipv6_only) {
  if (left.family() == right.family()) return left == right || left.is_any() || right.is_any();
  const bool left_is_ipv6 = left.family() == Family::kIpv6;
  if (left_is_ipv6 ? left_ipv6_only : right_ipv6_only) return false;
  return left.is_any() || right.is_any();
}

std::set<SimulatedKernel::Port> SimulatedKernel::capacity() const {
  std::set<Port> ports;
  for (unsigned port = settings_.range.low; port <= settings_.range.high; ++port) {
    if (!settings_.reserved.contains(static_cast<Port>(port))) {
      ports.insert(static_cast<Port>(port));
    }
  }
  return ports;
}

bool SimulatedKernel::is_reusable(const Held& held) const {
  using Scope = TimeWaitReuse::Scope;
  const Socket& socket = held.socket;
  if (socket.state != TcpState::kTimeWait || settings_.reuse == Scope::kNone) return false;
  const bool is_loopback = socket.local.is_loopback() || socket.remote.is_loopback();
  if (settings_.reuse == Scope::kLoopbackOnly && !is_loopback) return false;
  return kTimeWaitLength - (held.ends - now_) > settings_.reuse_delay;
}

std::optional<SimulatedKernel::Id> SimulatedKernel::holder(const ConnectTuple& tuple,
                                                           Port port) const {
  for (const auto& [id, held] : sockets_) {
    const Socket& socket = held.socket;
    if (is_connection(socket) && socket.local_port == port && socket.local == tuple.local &&
        socket.remote == tuple.remote && socket.remote_port == tuple.remote_port) {
      return id;
    }
  }
  return std::nullopt;
}

bool SimulatedKernel::can_connect(const ConnectTuple& tuple, Port port) const {
  const auto bucket = buckets_.find(port);
  if (bucket == buckets_.end()) return true;
  if (bucket->second.is_closed) return false;
  const auto other = holder(tuple, port);
  return !other || is_reusable(sockets_.at(*other));
}

bool SimulatedKernel::can_bind(const Address& local, bool ipv6_only, Port port) const {
  return std::ranges::none_of(sockets_, [&](const auto& each) {
    const Socket& socket = each.second.socket;
    return socket.local_port == port &&
           overlap(local, ipv6_only || !local.is_any(), socket.local, each.second.ipv6_only);
  });
}

/// From a random offset on, one half after the other. In a range of odd size one port is left out.
std::vector<SimulatedKernel::Port> SimulatedKernel::search_order(bool preferred_first) {
  const unsigned size = settings_.range.high - settings_.range.low + 1U;
  const unsigned looked_at = size > 1 ? size & ~1U : size;
  unsigned offset = below(looked_at);
  std::vector<unsigned> offsets;
  if (!settings_.has_halves) {
    for (unsigned i = 0; i < size; ++i) offsets.push_back((offset + i) % size);
  } else if (looked_at == 1) {
    offsets.push_back(0);
  } else {
    offset = preferred_first ? offset & ~1U : offset | 1U;
    for (const unsigned start : {offset, preferred_first ? offset + 1 : offset - 1}) {
      for (unsigned i = 0; i < looked_at; i += 2) {
        offsets.push_back(start + i >= size ? start + i - looked_at : start + i);
      }
    }
  }
  std::vector<Port> ports;
  for (const unsigned each : offsets) {
    const auto port = static_cast<Port>(settings_.range.low + each);
    if (!settings_.reserved.contains(port)) ports.push_back(port);
  }
  return ports;
}

std::optional<SimulatedKernel::Id> SimulatedKernel::connect(const ConnectTuple& tuple) {
  const auto order = search_order(true);
  const auto port = std::ranges::find_if(order, [&](Port p) { return can_connect(tuple, p); });
  if (port == order.end()) return std::nullopt;
  Held held{.socket = {}, .by_connect = true};
  held.socket.local = tuple.local;
  held.socket.local_port = *port;
  held.socket.remote = tuple.remote;
  held.socket.remote_port = tuple.remote_port;
  held.socket.state = TcpState::kSynSent;
  const auto taken_over = holder(tuple, *port);
  const Id id = hold(held);
  if (taken_over) release(*taken_over);
  if (settings_.has_halves && !is_preferred(*port)) buckets_.at(*port).has_spilled = true;
  return id;
}

std::optional<SimulatedKernel::Id> SimulatedKernel::bind(const Address& local, bool ipv6_only,
                                                         Port port) {
  const bool is_explicit = port != 0;
  if (!is_explicit) {
    const auto order = search_order(false);
    const auto found =
        std::ranges::find_if(order, [&](Port p) { return can_bind(local, ipv6_only, p); });
    if (found == order.end()) return std::nullopt;
    port = *found;
  }
  if (!can_bind(local, ipv6_only, port)) return std::nullopt;
  Held held{.socket = {}, .explicit_bind = is_explicit};
  held.socket.local = local;
  held.socket.remote = Address::any(local.family());
  held.socket.local_port = port;
  held.socket.state = TcpState::kBoundInactive;
  if (local.family() == Family::kIpv6) held.socket.ipv6_only = ipv6_only;
  held.ipv6_only = ipv6_only || !local.is_any();
  const Id id = hold(held);
  buckets_.at(port).is_closed = true;
  return id;
}

bool SimulatedKernel::connect_bound(Id id, const ConnectTuple& tuple) {
  Socket& socket = sockets_.at(id).socket;
  if (holder(tuple, socket.local_port)) return false;
  socket.local = tuple.local;
  socket.remote = tuple.remote;
  socket.remote_port = tuple.remote_port;
  socket.state = TcpState::kSynSent;
  socket.ipv6_only.reset();
  return true;
}

std::optional<SimulatedKernel::Id> SimulatedKernel::accept(Id listener, const Address& local,
                                                           const Address& remote, Port port) {
  const Port local_port = sockets_.at(listener).socket.local_port;
  if (holder({local, remote, port}, local_port)) return std::nullopt;
  Held held{.socket = {}, .is_accepted = true, .ipv6_only = sockets_.at(listener).ipv6_only};
  held.socket.local = local;
  held.socket.local_port = local_port;
  held.socket.remote = remote;
  held.socket.remote_port = port;
  return hold(held);
}

SimulatedKernel::Id SimulatedKernel::hold(Held held) {
  const auto [bucket, is_new] = buckets_.try_emplace(held.socket.local_port);
  if (is_new) bucket->second.generation = ++last_;
  const Id id = ++last_;
  sockets_.emplace(id, std::move(held));
  return id;
}

void SimulatedKernel::release(Id id) {
  const Port port = sockets_.at(id).socket.local_port;
  sockets_.erase(id);
  bool is_held = false;
  bool by_connect_alone = true;
  for (const auto& [other, held] : sockets_) {
    if (held.socket.local_port != port) continue;
    is_held = true;
    by_connect_alone = by_connect_alone && held.by_connect;
  }
  if (!is_held) {
    buckets_.erase(port);
  } else if (Bucket& bucket = buckets_.at(port);
             settings_.reopens && by_connect_alone && bucket.is_closed) {
    bucket.is_closed = false;
    bucket.has_reopened = true;
  }
}

void SimulatedKernel::become_minisock(Held& held, TcpState state) {
  held.socket.state = state;
  held.socket.is_minisock = true;
  held.ends = now_ + kTimeWaitLength;
}

void SimulatedKernel::change(Id id) {
  Held& held = sockets_.at(id);
  TcpState& state = held.socket.state;
  const unsigned chance = below(100);
  switch (state) {
    case TcpState::kSynSent:
      if (chance < 10) return release(id);
      state = TcpState::kEstablished;
      return;
    case TcpState::kEstablished:
      if (chance < 10) return release(id);  // a reset
      state = chance < 70 ? TcpState::kFinWait1 : TcpState::kCloseWait;
      return;
    case TcpState::kFinWait1:
      if (chance < 30) return become_minisock(held, TcpState::kTimeWait);
      state = chance < 50 ? TcpState::kClosing : TcpState::kFinWait2;
      return;
    case TcpState::kFinWait2:
      if (chance < 30 && !held.socket.is_minisock) {
        return become_minisock(held, TcpState::kFinWait2);
      }
      return become_minisock(held, TcpState::kTimeWait);
    case TcpState::kClosing:
      return become_minisock(held, TcpState::kTimeWait);
    case TcpState::kCloseWait:
      state = TcpState::kLastAck;
      return;
    case TcpState::kTimeWait:
      return;  // time alone ends it
    default:
      return release(id);
  }
}

void SimulatedKernel::advance(Milliseconds by) {
  now_ += by;
  std::vector<Id> over;
  for (const auto& [id, held] : sockets_) {
    if (held.socket.is_minisock && held.ends <= now_) over.push_back(id);
  }
  for (const Id id : over) release(id);
}

}  // namespace timewait::test
