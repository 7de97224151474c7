#include "collectors/parse/proc_net_tcp.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

namespace {

constexpr std::size_t kWordDigits = 8;
// USER_HZ is 100 on every architecture that Debian ships (include/uapi/asm-generic/param.h).
constexpr std::uint64_t kMillisecondsPerTick = 10;

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
};

std::optional<Address> parse_address(std::string_view digits) {
  std::array<std::uint32_t, 4> words{};
  const std::size_t count = digits.size() / kWordDigits;
  if (digits.size() % kWordDigits != 0 || (count != 1 && count != words.size()))
    return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const auto word = parse_number<std::uint32_t>(digits.substr(i * kWordDigits, kWordDigits), 16);
    if (!word) return std::nullopt;
    words[i] = *word;
  }
  return count == 1 ? Address::from_ipv4(words.data()) : Address::from_ipv6(words.data());
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, colon));
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 16);
  if (!address || !port) return std::nullopt;
  return Endpoint{*address, *port};
}

std::optional<TcpState> parse_state(std::string_view text) {
  const auto number = parse_number<std::uint8_t>(text, 16);
  return number ? tcp_state_from_kernel(*number) : std::nullopt;
}

tl::unexpected<Error> expected_but_found(std::string_view expected, std::string_view found) {
  return malformed("expected " + std::string(expected) + ", found " + config::in_quotes(found));
}

}  // namespace

Result<std::optional<Socket>> parse_proc_net_tcp_line(std::string_view line) {
  std::string_view rest = line;
  const std::string_view slot = next_word(rest);
  if (slot == "sl" || slot.empty()) return std::nullopt;

  const std::string_view local_text = next_word(rest);
  const std::string_view remote_text = next_word(rest);
  const std::string_view state_text = next_word(rest);
  next_word(rest);  // tx_queue:rx_queue
  const std::string_view timer_text = next_word(rest);

  const auto local = parse_endpoint(local_text);
  if (!local) return expected_but_found("local address:port", local_text);
  const auto remote = parse_endpoint(remote_text);
  if (!remote) return expected_but_found("remote address:port", remote_text);
  const auto state = parse_state(state_text);
  if (!state) return expected_but_found("TCP state", state_text);
  const std::size_t colon = std::min(timer_text.find(':'), timer_text.size());
  const auto timer = parse_number<std::uint8_t>(timer_text.substr(0, colon), 16);
  const auto ticks =
      parse_number<std::uint64_t>(timer_text.substr(std::min(colon + 1, timer_text.size())), 16);
  if (!timer || !ticks) return expected_but_found("timer:ticks", timer_text);

  Socket socket;
  socket.local = local->address;
  socket.local_port = local->port;
  socket.remote = remote->address;
  socket.remote_port = remote->port;
  socket.state = *state;
  socket.is_minisock = is_minisock(*state, *timer);
  if (socket.is_minisock) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    socket.expires_in = decltype(socket.expires_in){static_cast<std::uint32_t>(
        std::min(*ticks, kMost / kMillisecondsPerTick) * kMillisecondsPerTick)};
  }
  return socket;
}

}  // namespace timewait::parse
