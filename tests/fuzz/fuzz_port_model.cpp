// Input: a byte of choices, then netlink messages. Its bits, from the second: a kernel without a
// preferred half; a small range of ports; tcp_tw_reuse on; every second connection was bound
// explicitly.

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "collectors/model/socket_table.h"
#include "collectors/parse/inet_diag.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

constexpr std::uint8_t kWithoutHalves = 2;
constexpr std::uint8_t kSmallRange = 4;
constexpr std::uint8_t kReuse = 8;
constexpr std::uint8_t kExplicitBinds = 16;

// Few tuples fit, so that a corpus of small files reaches the limit.
constexpr std::size_t kMaxTuples = 3;

bool is_ratio(double ratio) { return ratio >= 0 && ratio <= 1; }

void check_ports(const PortReport& report, const PortSet& in_use, const PortSet& capacity) {
  const BlockedPorts& blocked = report.connect->blocked;
  fuzz::require(((blocked.observed | blocked.inferred) - (in_use & capacity)).empty(),
                "a blocked port is a capacity port in use");
  fuzz::require((blocked.observed & blocked.inferred).empty(), "evidence is of one kind");
  for (const ConnectUsage& usage : report.connect->top) {
    fuzz::require(usage.used <= (in_use & capacity).size(), "a used port is in use");
    fuzz::require(usage.used >= blocked.observed.size(), "a blocked port is used");
    fuzz::require(usage.reusable <= capacity.size(), "a reusable port is a capacity port");
  }
  fuzz::require(is_ratio(report.connect->usage_ratio_max), "a ratio lies between 0 and 1");
  fuzz::require(is_ratio(report.connect->preferred_usage_ratio_max.value_or(0)),
                "the ratio of the preferred half lies between 0 and 1");
  fuzz::require(report.bind->used_max <= (in_use & capacity).size(), "a port in use is in use");
  fuzz::require(report.bind->addresses >= report.bind->top.size(), "what is shown exists");
}

/// Of the connect side or of the server side.
template <class Report>
void check_side(const Report& report) {
  std::uint64_t shown = 0;
  for (const auto& usage : report.top) shown += usage.states.sum();
  fuzz::require(shown <= report.sockets, "what is shown is a part of all");
  fuzz::require(report.top.size() <= kMaxTuples, "tuples are bounded");
  fuzz::require(report.tuples >= report.top.size(), "what is shown exists");
  fuzz::require(report.error_bound <= report.sockets / kMaxTuples, "the error is bounded");
  fuzz::require(report.error_bound > 0 || shown == report.sockets, "without error all is shown");
}

ConnectPorts::Conditions conditions_of(std::uint8_t choices) {
  const bool is_small = (choices & kSmallRange) != 0;
  ConnectPorts::Conditions conditions;
  conditions.ports = compute_ephemeral_ports(
      is_small ? PortRange{40000, 40004} : PortRange{32768, 60999}, PortSet{});
  conditions.has_preferred_half = (choices & kWithoutHalves) == 0;
  if ((choices & kReuse) != 0) {
    conditions.reuse = {TimeWaitReuse::Scope::kEverywhere, {}, TimeWaitReuse::Time{}};
  }
  return conditions;
}

PortReport run_pass(SocketTable& table, const std::vector<Socket>& sockets, std::uint8_t choices) {
  table.begin_pass({}, conditions_of(choices));
  for (const Socket& socket : sockets) {
    if (is_idle(socket.state)) table.add(socket);
  }
  for (std::size_t i = 0; (choices & kExplicitBinds) != 0 && i < sockets.size(); i += 2) {
    if (!is_idle(sockets[i].state)) table.add_explicit_bind(sockets[i]);
  }
  for (const Socket& socket : sockets) {
    if (!is_idle(socket.state)) table.add(socket);
  }
  return table.end_pass(kMaxTuples);
}

/// What one pass has taught about ports breaks no promise of the next.
void check_passes(const std::vector<Socket>& sockets, std::uint8_t choices) {
  SocketTable table(kMaxTuples);
  const std::vector<Socket> half(sockets.begin(),
                                 sockets.begin() + static_cast<std::ptrdiff_t>(sockets.size() / 2));
  for (const auto* shown : {&sockets, &half, &sockets}) {
    for (const std::uint8_t range : {std::uint8_t{0}, kSmallRange}) {
      const auto chosen = static_cast<std::uint8_t>(choices ^ range);
      const PortReport report = run_pass(table, *shown, chosen);
      check_ports(report, table.ports().in_use(), conditions_of(chosen).ports.capacity);
      check_side(*report.connect);
      check_side(report.server);
    }
  }
}

void check_counts(const std::vector<Socket>& sockets) {
  SocketTable table(kMaxTuples);
  run_pass(table, sockets, 0);
  std::size_t counted = 0;
  for (const NamedTcpState& state : kTcpStates) {
    for (const Family family : kFamilies) counted += table.states().of(family, state.state);
  }
  fuzz::require(counted == sockets.size(), "every socket is counted once");

  const TimeWaitCounts& time_wait = table.time_wait();
  const std::size_t in_time_wait = table.states().of(Family::kIpv4, TcpState::kTimeWait) +
                                   table.states().of(Family::kIpv6, TcpState::kTimeWait);
  // One without a port is on no side.
  fuzz::require(time_wait.client() + time_wait.server() <= in_time_wait,
                "a TIME-WAIT socket belongs to one side");
  fuzz::require(!time_wait.expiring() || std::ranges::is_sorted(*time_wait.expiring()),
                "the expiring ones are cumulative");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes input(data, size);
  const std::uint8_t choices = fuzz::take_byte(input);
  std::vector<Socket> sockets;
  // Those before an error are sockets all the same.
  static_cast<void>(parse::parse_socket_dump({std::as_bytes(input), std::nullopt},
                                             [&](const Socket& each) { sockets.push_back(each); }));
  check_counts(sockets);
  check_passes(sockets, choices);
  return 0;
}
