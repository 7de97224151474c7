// Input: a byte, whose lowest bit says whether sequence numbers are checked, then netlink messages.

#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include <optional>
#include <span>
#include <vector>

#include "collectors/parse/inet_diag.h"
#include "daemon/kernel/fixture_kernel.h"
#include "tests/fuzz/socket_promises.h"

namespace {

using namespace timewait;

constexpr std::uint8_t kWithSequence = 1;
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
  const std::uint8_t choices = fuzz::take_byte(input);
  const bool with_sequence = (choices & kWithSequence) != 0;
  const auto bytes = std::as_bytes(input);
  const Dump dump =
      parse_dump(bytes, with_sequence ? std::optional<std::uint32_t>(kSequence) : std::nullopt);

  check_end(dump.end);
  fuzz::require(dump.sockets.size() * (sizeof(nlmsghdr) + sizeof(inet_diag_msg)) <= bytes.size(),
                "every socket has bytes of its own");
  for (const Socket& socket : dump.sockets) fuzz::check(socket);
  if (!with_sequence) check_replay(bytes, dump.sockets);
  return 0;
}
