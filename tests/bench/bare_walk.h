#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <system_error>

#include "daemon/file_descriptor.h"

namespace timewait::bench {

inline constexpr std::uint8_t kTimeWaitState = 6;  // TCP_TIME_WAIT, include/net/tcp_states.h

/// Asks for a dump of both families in every state in one pass (TCPDIAG_GETSOCK). Throws where the
/// kernel refuses.
FileDescriptor request_dump();

namespace detail {

/// False when the dump is at its end.
template <class OnSocket>
bool read_messages(std::span<const std::byte> bytes, OnSocket&& on_socket) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const auto& message = *reinterpret_cast<const nlmsghdr*>(bytes.data());
    if (message.nlmsg_type == NLMSG_DONE) return false;
    if (message.nlmsg_type == NLMSG_ERROR || message.nlmsg_len > bytes.size()) {
      throw std::runtime_error("the kernel does not dump its sockets");
    }
    on_socket(*reinterpret_cast<const inet_diag_msg*>(bytes.data() + NLMSG_HDRLEN));
    bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(message.nlmsg_len), bytes.size()));
  }
  return true;
}

}  // namespace detail

/// The least that a reader of the kernel's table can do: one dump in receives of 32 KiB, the most
/// that the kernel packs. Shares no code with the program, whose yardstick it is.
template <class OnSocket>
void walk_sockets(OnSocket&& on_socket) {
  alignas(nlmsghdr) static std::array<std::byte, std::size_t{32} * 1024> buffer;
  const FileDescriptor netlink = request_dump();
  while (true) {
    const ssize_t count = ::recv(netlink.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) throw std::system_error(errno, std::generic_category(), "receiving a dump");
    const auto received = std::span(buffer).first(static_cast<std::size_t>(count));
    if (!detail::read_messages(received, on_socket)) return;
  }
}

/// The bare walk: counts the sockets in TIME-WAIT and does nothing else.
std::size_t count_by_walk();

}  // namespace timewait::bench
