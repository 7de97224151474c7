#include "tests/live/support/port_mix.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include "tests/live/support/expectations.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/wait.h"

namespace timewait::test {

namespace {

constexpr const char* kRangeSysctl = "net/ipv4/ip_local_port_range";
/// Below every range.
const std::vector<std::uint16_t> kServicePorts{80, 81};

const std::vector<std::string> kIpv4Addresses{"127.0.0.1", "127.0.0.2", "10.0.0.1"};
const std::vector<std::string> kIpv6Addresses{"::1", "fd00::1"};
const std::vector<std::string> kIpv4Destinations{"127.0.0.1", "127.0.0.9", "10.0.0.1"};
/// Whatever the mix, nothing is connected from it.
constexpr const char* kIdleAddress = "127.0.0.77";

bool is_ipv6(const std::string& address) { return address.find(':') != std::string::npos; }
std::string mapped(const std::string& address) { return "::ffff:" + address; }

bool is_of(const ProcSocket& socket, const Tuple& tuple) {
  return Tuple{socket.local, socket.remote, socket.remote_port} == tuple;
}

void write_range(const PortRange& range) {
  write_sysctl(kRangeSysctl, std::to_string(range.low) + " " + std::to_string(range.high));
}

/// Calls `open` until it gives no socket. All are reset at the end.
template <class Open>
std::size_t count_until_none_is_left(const PortRange& range, Open open) {
  std::vector<FileDescriptor> sockets;
  const auto take_all = [&] {
    while (auto socket = open()) {
      reset_on_close(*socket);
      sockets.push_back(*std::move(socket));
    }
  };
  take_all();
  if ((range.high - range.low) % 2 == 0) {
    for (const std::uint16_t end : {range.low, range.high}) {
      write_range({end, end});
      take_all();
    }
    write_range(range);
  }
  return sockets.size();
}

}  // namespace

std::string Tuple::labels() const {
  return "local_address=\"" + local + "\",remote_address=\"" + remote + "\",remote_port=\"" +
         std::to_string(remote_port) + "\"";
}

std::size_t count_connects(const Tuple& tuple, const PortRange& range, Mapped as_mapped) {
  const bool maps = as_mapped == Mapped::kYes;
  const std::string local = maps ? mapped(tuple.local) : tuple.local;
  const Endpoint remote(maps ? mapped(tuple.remote) : tuple.remote, tuple.remote_port);
  return count_until_none_is_left(range, [&] { return try_connect_from(local, remote); });
}

std::size_t count_binds(const std::string& address, const PortRange& range) {
  return count_until_none_is_left(range, [&] { return try_bind({address, 0}); });
}

PortMix::PortMix(unsigned seed)
    : seed_(seed), random_(seed), kind_(seed % 3 == 0 ? Kind::kUnruly : Kind::kOrderly) {
  add_address_to_loopback("10.0.0.1");
  add_address_to_loopback("fd00::1");
  set_range();
  reserve_ports(size() / 20);
  for (const std::uint16_t port : kServicePorts) services_.push_back(open_listener({"::", port}));
  choose_tuples();
  for (std::size_t i = size() / 3 + below(size()); i > 0; --i) add();
  if (kind_ == Kind::kUnruly) fill_beyond_preferred_half(any_of(tuples_));
  reserve_ports(size() / 20);
  tuples_.push_back({kIdleAddress, any_of(kIpv4Destinations), any_of(kServicePorts)});
  settle();
  if (one_in(3)) allow_reuse();
}

void PortMix::set_range() {
  constexpr std::size_t kLeast = 20;
  constexpr std::size_t kMost = 200;
  constexpr std::size_t kLowest = 1024;
  const std::size_t size = kLeast + below(kMost - kLeast + 1);
  const std::size_t low = kLowest + below(65536 - kLowest - size + 1);
  range_ = {static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(low + size - 1)};
  write_range(range_);
}

void PortMix::reserve_ports(std::size_t count) {
  while (count-- > 0) reserved_.insert(any_port());
  std::string list;
  for (const std::uint16_t port : reserved_) list += std::to_string(port) + ",";
  write_sysctl("net/ipv4/ip_local_reserved_ports", list + "1024-1030");
}

void PortMix::choose_tuples() {
  std::set<Tuple> tuples;
  while (tuples.size() < 3) {
    if (one_in(3)) {
      tuples.insert({any_of(kIpv6Addresses), any_of(kIpv6Addresses), any_of(kServicePorts)});
    } else {
      tuples.insert({any_of(kIpv4Addresses), any_of(kIpv4Destinations), any_of(kServicePorts)});
    }
  }
  tuples_.assign(tuples.begin(), tuples.end());
}

std::string PortMix::as_sockets_take_it(const std::string& address) {
  return !is_ipv6(address) && one_in(4) ? mapped(address) : address;
}

void PortMix::add() {
  const bool is_orderly = kind_ == Kind::kOrderly;
  if (one_in(3)) {
    if (!is_orderly || blockers_ < size() / 5) add_blocker();
    return;
  }
  if (!is_orderly && one_in(8)) return close_something();
  if (one_in(8)) return connect_to_inner_listener();
  const Tuple& tuple = any_of(tuples_);
  if (is_orderly && connects_[tuple] >= size() / 8) return;
  connect(tuple);
}

void PortMix::add_blocker() {
  ++blockers_;
  const bool reports_idle = kernel_reports_bound_inactive();  // else a dump knows nothing of them
  switch (below(5)) {
    case 0:
      return listen_inside();
    case 1:
      return reports_idle ? bind_idle() : listen_inside();
    case 2:
      return reports_idle ? bind_idle_to_port_0() : listen_inside();
    case 3:
      return connect_with_port_from_bind(any_of(tuples_));
    default:
      return connect_from_chosen_port(any_of(tuples_));
  }
}

void PortMix::listen_inside() {
  struct Choice {
    std::string listen_address;
    std::string connect_address;
    bool ipv6_only = false;
  };
  static const std::vector<Choice> kChoices{
      {"127.0.0.1", "127.0.0.1"}, {"127.0.0.2", "127.0.0.2"},
      {"0.0.0.0", "127.0.0.5"},   {"::1", "::1"},
      {"::", "fd00::1", true},    {"::", "::1"},
      {"::", "127.0.0.1"},        {"::ffff:10.0.0.1", "10.0.0.1"}};
  const Choice& choice = any_of(kChoices);
  const std::uint16_t port = any_port();
  auto listener = try_listen({choice.listen_address, port}, {.ipv6_only = choice.ipv6_only});
  if (!listener) return;
  held_.push_back({port, true, {*std::move(listener), FileDescriptor()}, choice.connect_address});
}

void PortMix::bind_idle() {
  const std::string address = as_sockets_take_it(any_of(local_addresses()));
  auto socket = try_bind({address, any_port()}, {.reuses_address = one_in(2)});
  if (socket) hold_idle(*std::move(socket));
}

void PortMix::bind_idle_to_port_0() {
  const std::string address = as_sockets_take_it(any_of(local_addresses()));
  auto socket = try_bind({address, 0}, {.reuses_address = one_in(4)});
  if (socket) hold_idle(*std::move(socket));
}

void PortMix::hold_idle(FileDescriptor socket) {
  const std::uint16_t port = Endpoint::local_of(socket).port();
  held_.push_back({port, true, {std::move(socket), FileDescriptor()}});
}

/// By a socket that is bound to the address alone, or not at all where the route chooses the same.
std::optional<FileDescriptor> PortMix::open_client(const Tuple& tuple) {
  const bool maps = !tuple.is_ipv6() && one_in(4);
  const Endpoint remote(maps ? mapped(tuple.remote) : tuple.remote, tuple.remote_port);
  const bool is_the_routes_choice =
      tuple.local == tuple.remote || (tuple.local == "127.0.0.1" && tuple.remote == "127.0.0.9");
  if (is_the_routes_choice && one_in(2)) return try_connect(remote);
  return try_connect_from(maps ? mapped(tuple.local) : tuple.local, remote);
}

void PortMix::connect(const Tuple& tuple) {
  auto client = open_client(tuple);
  if (!client) return;
  ++connects_[tuple];
  const std::uint16_t port = Endpoint::local_of(*client).port();
  if (!has_even_offset(port)) parity_holds_ = false;
  Connection connection = accept(*std::move(client), tuple);
  bring_into_random_state(connection);
  held_.push_back({port, false, std::move(connection)});
}

/// The port is the kernel's choice in bind(), which a dump does not show once it is connected.
void PortMix::connect_with_port_from_bind(const Tuple& tuple) {
  auto client = try_bind({tuple.local, 0});
  if (!client || !try_connect_bound(*client, {tuple.remote, tuple.remote_port})) return;
  const std::uint16_t port = Endpoint::local_of(*client).port();
  if (has_even_offset(port)) parity_holds_ = false;
  Connection connection = accept(*std::move(client), tuple);
  bring_into_random_state(connection);
  held_.push_back({port, false, std::move(connection)});
}

void PortMix::connect_from_chosen_port(const Tuple& tuple) {
  auto client = try_bind({tuple.local, any_port()}, {.reuses_address = one_in(2)});
  if (!client || !try_connect_bound(*client, {tuple.remote, tuple.remote_port})) return;
  const std::uint16_t port = Endpoint::local_of(*client).port();
  Connection connection = accept(*std::move(client), tuple);
  const bool may_end = kind_ == Kind::kUnruly || !has_even_offset(port);
  const bool has_ended = may_end && bring_into_random_state(connection);
  if (has_ended && has_even_offset(port)) parity_holds_ = false;
  held_.push_back({port, !has_ended, std::move(connection)});
}

void PortMix::connect_to_inner_listener() {
  std::vector<const Held*> listeners;
  for (const Held& held : held_) {
    if (!held.connect_address.empty()) listeners.push_back(&held);
  }
  if (listeners.empty()) return;
  const Held& listener = *any_of(listeners);
  auto client = try_connect({listener.connect_address, listener.port});
  if (!client) return;
  const std::uint16_t port = Endpoint::local_of(*client).port();
  if (!has_even_offset(port)) parity_holds_ = false;
  Connection connection{*std::move(client), accept_from(listener.sockets.client)};
  bring_into_random_state(connection);
  held_.push_back({port, false, std::move(connection)});
}

/// A listener may leave accepted connections, a bucket may stay closed: what a dump cannot see.
void PortMix::close_something() {
  if (held_.empty()) return;
  parity_holds_ = false;
  Held& held = held_[below(held_.size())];
  for (FileDescriptor* const socket : {&held.sockets.client, &held.sockets.server}) {
    if (socket->is_open()) reset_on_close(*socket);
  }
  std::swap(held, held_.back());
  held_.pop_back();
}

void PortMix::fill_beyond_preferred_half(const Tuple& tuple) {
  const std::size_t target = size() / 2 + below(size() / 2 + 1);
  for (std::size_t i = 0; i < target; ++i) connect(tuple);
}

Connection PortMix::accept(FileDescriptor client, const Tuple& tuple) const {
  const auto service = std::ranges::find(kServicePorts, tuple.remote_port) - kServicePorts.begin();
  return {std::move(client), accept_from(services_[static_cast<std::size_t>(service)])};
}

bool PortMix::bring_into_random_state(Connection& connection) {
  switch (below(7)) {
    case 0:
      half_close(connection);
      return false;
    case 1:
      shut_down_writing(connection.server);
      wait_for_state(connection.client, KernelState::kCloseWait);
      return false;
    case 2:
      orphan_half_closed(connection);
      return true;
    case 3:
    case 4:
      close_client_first(connection);
      return true;
    case 5:
      close_server_first(connection);
      return true;
    default:
      return false;
  }
}

void PortMix::settle() const {
  using enum KernelState;
  wait_until("the closed sockets to reach TIME-WAIT or to be gone", [] {
    return std::ranges::none_of(sockets_in_proc(), [](const ProcSocket& socket) {
      return socket.state == kFinWait1 || socket.state == kLastAck || socket.state == kClosing;
    });
  });
}

/// Where the age that the kernel asks for can be set: else it is a second, in which a test waits.
void PortMix::allow_reuse() {
  if (!has_sysctl("net/ipv4/tcp_tw_reuse_delay")) return;
  write_sysctl("net/ipv4/tcp_tw_reuse_delay", "10");
  reuse_ = one_in(2) ? 1 : 2;
  write_sysctl("net/ipv4/tcp_tw_reuse", std::to_string(reuse_));
  const auto old_enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(60);
  wait_until("all TIME-WAITs to be old enough",
             [&] { return std::chrono::steady_clock::now() > old_enough; });
}

std::size_t PortMix::capacity() const {
  return size() - static_cast<std::size_t>(std::ranges::count_if(
                      reserved_, [&](std::uint16_t port) { return is_in_range(port); }));
}

std::string PortMix::description() const {
  std::ostringstream text;
  text << "seed " << seed_ << ": " << (kind_ == Kind::kOrderly ? "orderly" : "unruly") << ", ports "
       << range_.low << "-" << range_.high << ", capacity " << capacity() << ", tcp_tw_reuse "
       << reuse_ << (parity_holds_ ? "" : ", parity broken");
  return text.str();
}

std::set<std::uint16_t> PortMix::visibly_blocked_ports() const {
  std::set<std::uint16_t> ports;
  for (const Held& held : held_) {
    if (held.blocks_visibly && is_capacity(held.port)) ports.insert(held.port);
  }
  return ports;
}

const std::vector<std::string>& PortMix::local_addresses() {
  static const std::vector<std::string> kAddresses{"127.0.0.1", "127.0.0.2", "10.0.0.1", "::1",
                                                   "fd00::1",   "0.0.0.0",   "::"};
  return kAddresses;
}

std::size_t PortMix::ambiguous_to_ipv4_wildcard() const {
  std::set<std::uint16_t> ambiguous;
  std::set<std::uint16_t> clear;
  for (const ProcSocket& socket : sockets_in_proc()) {
    if (!is_capacity(socket.local_port)) continue;
    if (!socket.is_ipv6) clear.insert(socket.local_port);
    if (socket.is_ipv6 && socket.state != KernelState::kListen) ambiguous.insert(socket.local_port);
  }
  std::erase_if(ambiguous, [&](std::uint16_t port) { return clear.contains(port); });
  return ambiguous.size();
}

bool PortMix::may_reuse_time_waits_of(const Tuple& tuple) const {
  const auto is_loopback = [](const std::string& address) {
    return address == "::1" || address.starts_with("127.");
  };
  return reuse_ == 1 || (reuse_ == 2 && (is_loopback(tuple.local) || is_loopback(tuple.remote)));
}

std::set<std::uint16_t> PortMix::taken_ports(const Tuple& tuple) const {
  std::set<std::uint16_t> ports = visibly_blocked_ports();
  const bool spares_time_wait = may_reuse_time_waits_of(tuple);
  for (const ProcSocket& socket : sockets_in_proc()) {
    const bool is_reusable = spares_time_wait && socket.state == KernelState::kTimeWait;
    if (is_capacity(socket.local_port) && !is_reusable && is_of(socket, tuple)) {
      ports.insert(socket.local_port);
    }
  }
  return ports;
}

std::size_t PortMix::sockets(const Tuple& tuple) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(sockets_in_proc(), [&](const ProcSocket& socket) {
        return is_in_range(socket.local_port) && is_of(socket, tuple);
      }));
}

std::size_t PortMix::connect_side_sockets(const Tuple& tuple) const {
  const std::vector<ProcSocket> sockets = sockets_in_proc();
  std::set<std::uint16_t> listening;
  for (const ProcSocket& socket : sockets) {
    if (socket.state == KernelState::kListen) listening.insert(socket.local_port);
  }
  return static_cast<std::size_t>(std::ranges::count_if(sockets, [&](const ProcSocket& socket) {
    return is_in_range(socket.local_port) && !listening.contains(socket.local_port) &&
           is_of(socket, tuple);
  }));
}

std::size_t PortMix::count_connects(const Tuple& tuple) {
  const Mapped as_mapped = !tuple.is_ipv6() && one_in(4) ? Mapped::kYes : Mapped::kNo;
  const std::size_t count = test::count_connects(tuple, range_, as_mapped);
  for (const FileDescriptor& service : services_) {
    while (accept_queue_length(service) > 0) accept_from(service);
  }
  return count;
}

}  // namespace timewait::test
