#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/model/socket.h"

namespace timewait::parse {

/// What one netlink message means to a dump.
enum class MessageKind : std::uint8_t { kSocket, kSkip, kDone };

/// The length of the message at the head of `bytes`, header included, or an error where header or
/// length do not fit into the buffer.
Result<std::size_t> parse_message_length(std::span<const std::byte> bytes);

/// Classifies a whole message (its header says its length). Errors: NLMSG_ERROR and an errno inside
/// NLMSG_DONE (a missing tcp_diag module looks just so: net/ipv4/inet_diag.c,
/// inet_diag_lock_handler), NLMSG_OVERRUN, and NLM_F_DUMP_INTR.
Result<MessageKind> classify_message(std::span<const std::byte> message,
                                     std::optional<std::uint32_t> sequence);

/// A struct inet_diag_msg and its attributes, without the netlink header, into `socket`. Sources:
/// inet_sk_diag_fill, inet_twsk_diag_fill and inet_req_diag_fill in net/ipv4/inet_diag.c. After an
/// error `socket` holds anything. Into and not out of: it is called for each of a million sockets.
Result<void> parse_inet_diag_message(std::span<const std::byte> payload, Socket& socket);

/// Walks the messages of one receive buffer and calls `on_socket(const Socket&)` for each socket.
/// Never reads outside the buffer, whatever is in it.
template <class OnSocket>
Result<DumpProgress> parse_socket_dump(const NetlinkBuffer& buffer, OnSocket&& on_socket) {
  std::span<const std::byte> rest = buffer.bytes;
  Socket socket;
  while (!rest.empty()) {
    const Result<std::size_t> length = parse_message_length(rest);
    if (!length) return tl::make_unexpected(length.error());
    const std::span<const std::byte> message = rest.first(*length);

    const Result<MessageKind> kind = classify_message(message, buffer.sequence);
    if (!kind) return tl::make_unexpected(kind.error());
    if (*kind == MessageKind::kDone) return DumpProgress::kDone;
    if (*kind == MessageKind::kSocket) {
      const Result<void> parsed = parse_inet_diag_message(message.subspan(NLMSG_HDRLEN), socket);
      if (!parsed) return tl::make_unexpected(parsed.error());
      on_socket(std::as_const(socket));
    }
    rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(*length), rest.size()));
  }
  return DumpProgress::kMore;
}

}  // namespace timewait::parse
