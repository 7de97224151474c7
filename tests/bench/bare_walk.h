#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <system_error>

#include "daemon/file_descriptor.h"

namespace timewait::bench {

inline constexpr std::uint8_t kTimeWaitState = 6;  // TCP_TIME_WAIT, include/net/tcp_states.h

/// Bits `1 << TCP_ESTABLISHED` to `1 << TCP_NEW_SYN_RECV`: one walk of the tables of listeners and
/// of connections.
inline constexpr std::uint32_t kConnectionsAndListeners = 0x1ffe;
/// With TCP_BOUND_INACTIVE (Linux 6.8), for which the kernel walks the table of local ports as
/// well, in which every TIME-WAIT socket of this side's stands too.
inline constexpr std::uint32_t kEveryState = ~0U;

/// Asks for a dump of both families in one pass (TCPDIAG_GETSOCK). Throws where the kernel refuses.
FileDescriptor request_dump(std::uint32_t states);

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
void walk_sockets(std::uint32_t states, OnSocket&& on_socket) {
  alignas(nlmsghdr) static std::array<std::byte, std::size_t{32} * 1024> buffer;
  const FileDescriptor netlink = request_dump(states);
  while (true) {
    const ssize_t count = ::recv(netlink.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) throw std::system_error(errno, std::generic_category(), "receiving a dump");
    const auto received = std::span(buffer).first(static_cast<std::size_t>(count));
    if (!detail::read_messages(received, on_socket)) return;
  }
}

/// The bare walk: counts the sockets in TIME-WAIT and does nothing else.
std::size_t count_by_walk(std::uint32_t states);

}  // namespace timewait::bench
