#include "collectors/parse/inet_diag.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "collectors/parse/bytes.h"

namespace timewait::parse {

namespace {

/// `number` is negative, an errno as the kernel sends it.
Error kernel_error(std::int32_t number) {
  // INT_MIN has no positive counterpart; no errno is near it.
  const int error = -std::max(number, -0xffff);
  std::string detail = "the kernel refuses: " + std::generic_category().message(error);
  if (error == ENOENT || error == EOPNOTSUPP) {
    detail += " (is the module tcp_diag loaded? `modprobe tcp_diag` loads it and inet_diag)";
  }
  return {reason_of_errno(error), {}, std::move(detail)};
}

Result<MessageKind> parse_done(std::span<const std::byte> message) {
  const auto error = read_at<std::int32_t>(message, NLMSG_HDRLEN);
  if (error && *error < 0) return tl::make_unexpected(kernel_error(*error));
  return MessageKind::kDone;
}

Result<MessageKind> parse_error(std::span<const std::byte> message) {
  const auto error = read_at<std::int32_t>(message, NLMSG_HDRLEN);
  if (!error) return malformed("NLMSG_ERROR without an error number");
  if (*error == 0) return MessageKind::kSkip;  // an acknowledgement
  if (*error > 0)
    return malformed("NLMSG_ERROR with the positive number " + std::to_string(*error));
  return tl::make_unexpected(kernel_error(*error));
}

std::optional<bool> parse_ipv6_only(std::span<const std::byte> attributes) {
  while (const auto attribute = read_at<rtattr>(attributes, 0)) {
    if (attribute->rta_len < sizeof(rtattr) || attribute->rta_len > attributes.size()) break;
    if (attribute->rta_type == INET_DIAG_SKV6ONLY) {
      const auto value = read_at<std::uint8_t>(attributes.first(attribute->rta_len), RTA_LENGTH(0));
      if (value) return *value != 0;
    }
    attributes =
        attributes.subspan(std::min<std::size_t>(RTA_ALIGN(attribute->rta_len), attributes.size()));
  }
  return std::nullopt;
}

}  // namespace

Result<std::size_t> parse_message_length(std::span<const std::byte> bytes) {
  const auto header = read_at<nlmsghdr>(bytes, 0);
  if (!header) {
    return malformed("expected a netlink header of " + std::to_string(sizeof(nlmsghdr)) +
                     " bytes, found " + std::to_string(bytes.size()));
  }
  if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > bytes.size()) {
    return malformed("netlink message of length " + std::to_string(header->nlmsg_len) + " in " +
                     std::to_string(bytes.size()) + " bytes");
  }
  return header->nlmsg_len;
}

Result<MessageKind> classify_message(std::span<const std::byte> message,
                                     std::optional<std::uint32_t> sequence) {
  const auto header = read_at<nlmsghdr>(message, 0);
  if (!header) return malformed("netlink message without header");
  if (sequence && header->nlmsg_seq != *sequence) return MessageKind::kSkip;
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
    return tl::make_unexpected(
        Error{ErrorReason::kInterrupted,
              {},
              "the kernel's table changed during the dump (NLM_F_DUMP_INTR)"});
  }
  switch (header->nlmsg_type) {
    case NLMSG_DONE:
      return parse_done(message);
    case NLMSG_ERROR:
      return parse_error(message);
    case NLMSG_OVERRUN:
      return tl::make_unexpected(
          Error{ErrorReason::kInterrupted, {}, "messages were lost (NLMSG_OVERRUN)"});
    case TCPDIAG_GETSOCK:
    case SOCK_DIAG_BY_FAMILY:
      return MessageKind::kSocket;
    default:
      return MessageKind::kSkip;
  }
}

Result<void> parse_inet_diag_message(std::span<const std::byte> payload, Socket& socket) {
  const auto message = read_at<inet_diag_msg>(payload, 0);
  if (!message) {
    return malformed("expected an inet_diag_msg of " + std::to_string(sizeof(inet_diag_msg)) +
                     " bytes, found " + std::to_string(payload.size()));
  }
  const auto state = tcp_state_from_kernel(message->idiag_state);
  if (!state) return malformed("unknown TCP state " + std::to_string(message->idiag_state));

  socket = {};
  if (message->idiag_family == AF_INET) {
    socket.local = Address::from_ipv4(&message->id.idiag_src);
    socket.remote = Address::from_ipv4(&message->id.idiag_dst);
  } else if (message->idiag_family == AF_INET6) {
    socket.local = Address::from_ipv6(&message->id.idiag_src);
    socket.remote = Address::from_ipv6(&message->id.idiag_dst);
    if (*state == TcpState::kListen || *state == TcpState::kClose) {
      socket.ipv6_only = parse_ipv6_only(payload.subspan(
          std::min<std::size_t>(NLMSG_ALIGN(sizeof(inet_diag_msg)), payload.size())));
    }
  } else {
    return malformed("unknown address family " + std::to_string(message->idiag_family));
  }
  socket.local_port = ntohs(message->id.idiag_sport);
  socket.remote_port = ntohs(message->id.idiag_dport);
  socket.state = *state;
  socket.device = message->id.idiag_if;
  socket.is_minisock = is_minisock(*state, message->idiag_timer);
  if (socket.is_minisock) {
    socket.expires_in = decltype(socket.expires_in){message->idiag_expires};
  }
  return {};
}

}  // namespace timewait::parse
