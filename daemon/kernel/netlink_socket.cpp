#include "daemon/kernel/netlink_socket.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <string>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "daemon/kernel/errno_error.h"

namespace timewait {

namespace {

constexpr std::string_view kSource = "netlink sock_diag";
constexpr std::size_t kBufferSize = std::size_t{32} * 1024;
// The kernel answers at once; one that is silent for so long will not answer.
constexpr timeval kReceiveTimeout{.tv_sec = 5, .tv_usec = 0};

Error socket_error(int error, std::string_view what) {
  Error made = errno_error(error, std::string(kSource));
  made.detail = std::string(what) + ": " + made.detail;
  return made;
}

struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

/// A filter program that lets pass what was bound explicitly: "if the kernel chose the port, jump
/// past the end, which rejects; else to the end, which accepts" (net/ipv4/inet_diag.c,
/// inet_diag_bc_run()).
constexpr std::array kNotAuto{
    inet_diag_bc_op{.code = INET_DIAG_BC_AUTO, .yes = 4, .no = 8},
    inet_diag_bc_op{.code = INET_DIAG_BC_JMP, .yes = 4, .no = 8},
};

/// The legacy request, which covers both families in one walk (net/ipv4/inet_diag.c,
/// inet_diag_rcv_msg_compat).
Message make_legacy_request(const SocketDump& dump) {
  inet_diag_req request{};
  request.idiag_family = AF_INET;
  request.idiag_states = dump.states;
  Message message(nlmsg_alloc_simple(TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP));
  if (message) nlmsg_append(message.get(), &request, sizeof(request), NLMSG_ALIGNTO);
  return message;
}

Message make_family_request(std::uint8_t family, const SocketDump& dump) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = dump.states;
  Message message(nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP));
  if (message) nlmsg_append(message.get(), &request, sizeof(request), NLMSG_ALIGNTO);
  return message;
}

Message make_unfiltered_request(const SocketDump& dump) {
  switch (dump.request) {
    case SocketRequest::kBothFamilies:
      return make_legacy_request(dump);
    case SocketRequest::kIpv4:
      return make_family_request(AF_INET, dump);
    case SocketRequest::kIpv6:
      return make_family_request(AF_INET6, dump);
  }
  return nullptr;
}

Message make_request(const SocketDump& dump) {
  Message message = make_unfiltered_request(dump);
  if (message && dump.only_explicit_binds &&
      nla_put(message.get(), INET_DIAG_REQ_BYTECODE, sizeof(kNotAuto), kNotAuto.data()) < 0) {
    message.reset();
  }
  return message;
}

}  // namespace

void NetlinkSocket::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

NetlinkSocket::NetlinkSocket() : buffer_(kBufferSize) {}
NetlinkSocket::~NetlinkSocket() = default;

Result<void> NetlinkSocket::dump(const SocketDump& dump, const Kernel::OnBuffer& on_buffer) {
  auto done =
      open().and_then([&] { return send_request(dump); }).and_then([&](std::uint32_t sequence) {
        return receive_all(sequence, on_buffer);
      });
  if (!done) socket_.reset();
  return done;
}

Result<void> NetlinkSocket::open() {
  if (socket_) return {};
  std::unique_ptr<nl_sock, Free> socket(nl_socket_alloc());
  if (!socket) return tl::make_unexpected(socket_error(ENOMEM, "opening"));
  nl_socket_disable_auto_ack(socket.get());  // a dump ends with NLMSG_DONE, not with an ACK
  errno = 0;
  if (nl_connect(socket.get(), NETLINK_SOCK_DIAG) < 0) {
    return tl::make_unexpected(socket_error(errno != 0 ? errno : EIO, "opening"));
  }
  if (::setsockopt(nl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kReceiveTimeout,
                   sizeof(kReceiveTimeout)) < 0) {
    return tl::make_unexpected(socket_error(errno, "opening"));
  }
  socket_ = std::move(socket);
  return {};
}

Result<std::uint32_t> NetlinkSocket::send_request(const SocketDump& dump) {
  const Message message = make_request(dump);
  if (!message) return tl::make_unexpected(socket_error(ENOMEM, "sending"));
  errno = 0;
  if (nl_send_auto(socket_.get(), message.get()) < 0) {
    return tl::make_unexpected(socket_error(errno != 0 ? errno : EIO, "sending"));
  }
  return nlmsg_hdr(message.get())->nlmsg_seq;
}

Result<std::span<const std::byte>> NetlinkSocket::receive() {
  sockaddr_nl sender{};
  iovec vector{buffer_.data(), buffer_.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof(sender);
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  while (true) {
    const ssize_t count = ::recvmsg(nl_socket_get_fd(socket_.get()), &header, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::make_unexpected(socket_error(errno, "receiving"));
    if (count == 0)
      return tl::make_unexpected(socket_error(EIO, "the dump ended without NLMSG_DONE"));
    if (sender.nl_pid != 0) continue;  // not from the kernel
    if ((header.msg_flags & MSG_TRUNC) != 0) {
      return tl::make_unexpected(Error{ErrorReason::kMalformed, std::string(kSource),
                                       "a message does not fit into 32 KiB (MSG_TRUNC)"});
    }
    return std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(count));
  }
}

Result<void> NetlinkSocket::receive_all(std::uint32_t sequence, const Kernel::OnBuffer& on_buffer) {
  while (true) {
    const auto received = receive();
    if (!received) return tl::make_unexpected(received.error());
    const auto progress = on_buffer({*received, sequence});
    if (!progress) return tl::make_unexpected(progress.error());
    if (*progress == DumpProgress::kDone) return {};
  }
}

}  // namespace timewait
