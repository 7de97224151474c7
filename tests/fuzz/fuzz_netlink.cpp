// Input: a byte whose lowest bit asks for the check of sequence numbers, then netlink messages.

#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include <optional>
#include <span>
#include <vector>

#include "collectors/model/socket_table.h"
#include "collectors/parse/inet_diag.h"
#include "daemon/kernel/fixture_kernel.h"
#include "tests/fuzz/socket_promises.h"

namespace {

using namespace timewait;

constexpr std::uint32_t kSequence = 1;
constexpr std::uint32_t kEveryState = 0xffffffff;

struct Dump {
  Result<DumpProgress> end = DumpProgress::kMore;
  std::vector<Socket> sockets;
};

Dump parse_dump(std::span<const std::byte> bytes, std::optional<std::uint32_t> sequence) {
  Dump dump;
  dump.end = parse::parse_socket_dump({bytes, sequence},
                                      [&](const Socket& each) { dump.sockets.push_back(each); });
  return dump;
}

/// The kernel's refusals come as errors too, with reasons of their own.
void check_end(const Result<DumpProgress>& end) {
  if (end) return;
  fuzz::require(!end.error().detail.empty(), "an error says what is wrong");
  fuzz::require(fuzz::is_printable(end.error().detail), "an error is printable ASCII");
}

void check_ports(const PortReport& report, const PortSet& in_use, const PortSet& capacity) {
  const BlockedPorts& blocked = report.connect->blocked;
  fuzz::require(((blocked.observed | blocked.inferred) - (in_use & capacity)).empty(),
                "a blocked port is a capacity port in use");
  fuzz::require((blocked.observed & blocked.inferred).empty(), "evidence is of one kind");
  for (const ConnectUsage& usage : report.connect->top) {
    fuzz::require(usage.used <= capacity.size(), "no more ports are used than there are");
    fuzz::require(usage.used >= blocked.observed.size(), "a blocked port is used");
  }
  const double ratio = report.connect->usage_ratio_max;
  fuzz::require(ratio >= 0 && ratio <= 1, "the ratio lies between 0 and 1");
  fuzz::require(report.bind->used_max <= (in_use & capacity).size(), "a port in use is in use");
}

void check_counts(const std::vector<Socket>& sockets) {
  // Few tuples fit, so that a corpus of small files reaches the limit.
  constexpr std::size_t kMaxTuples = 3;
  ConnectPorts::Conditions conditions;
  conditions.ports = compute_ephemeral_ports({32768, 60999}, PortSet{});
  SocketTable table(kMaxTuples);
  table.begin_pass({}, conditions);
  for (const Socket& socket : sockets) table.add(socket);
  std::size_t counted = 0;
  for (const NamedTcpState& state : kTcpStates) {
    for (const Family family : kFamilies) counted += table.states().of(family, state.state);
  }
  fuzz::require(counted == sockets.size(), "every socket is counted once");

  const TimeWaitCounts& time_wait = table.time_wait();
  const std::size_t in_time_wait = table.states().of(Family::kIpv4, TcpState::kTimeWait) +
                                   table.states().of(Family::kIpv6, TcpState::kTimeWait);
  fuzz::require(time_wait.client() + time_wait.server() == in_time_wait,
                "a TIME-WAIT socket belongs to one side");
  fuzz::require(!time_wait.expiring() || std::ranges::is_sorted(*time_wait.expiring()),
                "the expiring ones are cumulative");
  check_ports(table.end_pass(kMaxTuples), table.ports().in_use(), conditions.ports.capacity);
}

/// A recording may hold several dumps, so its replay goes on where a dump stops. One that does not
/// end is refused.
void check_replay(std::span<const std::byte> bytes, const std::vector<Socket>& sockets) {
  const std::string_view recording(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string replayed =
      filter_recorded_dump(recording, {SocketRequest::kBothFamilies, kEveryState});
  const Dump dump = parse_dump(std::as_bytes(std::span(replayed)), std::nullopt);
  if (!dump.end || *dump.end != DumpProgress::kDone) return;
  fuzz::require(dump.sockets.size() >= sockets.size(), "a replay leaves no socket out");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes input(data, size);
  const bool with_sequence = (fuzz::take_byte(input) & 1U) != 0;
  const auto bytes = std::as_bytes(input);
  const Dump dump =
      parse_dump(bytes, with_sequence ? std::optional<std::uint32_t>(kSequence) : std::nullopt);

  check_end(dump.end);
  fuzz::require(dump.sockets.size() * (sizeof(nlmsghdr) + sizeof(inet_diag_msg)) <= bytes.size(),
                "every socket has bytes of its own");
  for (const Socket& socket : dump.sockets) fuzz::check(socket);
  check_counts(dump.sockets);
  if (!with_sequence) check_replay(bytes, dump.sockets);
  return 0;
}
