#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/model/socket.h"
#include "collectors/parse/inet_diag.h"
#include "collectors/parse/proc_net_tcp.h"
#include "collectors/parse/text.h"

namespace timewait {

/// Where the sockets come from, best first.
enum class SocketSource : std::uint8_t {
  kBothFamilies,  ///< netlink, one walk of the kernel's table for IPv4 and IPv6
  kByFamily,      ///< netlink, a walk for each
  kProcNetTcp,  ///< /proc/net/tcp and tcp6, where netlink is refused: the kernel prints each socket
};

inline constexpr std::array kSocketSources{SocketSource::kBothFamilies, SocketSource::kByFamily,
                                           SocketSource::kProcNetTcp};

/// The `source` label.
constexpr std::string_view to_string(SocketSource source) {
  switch (source) {
    case SocketSource::kBothFamilies:
      return "tcpdiag_getsock";
    case SocketSource::kByFamily:
      return "sock_diag_by_family";
    case SocketSource::kProcNetTcp:
      return "proc_net_tcp";
  }
  return "unknown";
}

namespace detail {

/// Every state from ESTABLISHED to TCP_NEW_SYN_RECV (12) that a connection can have.
constexpr std::uint32_t kConnectionStates = 0x1ffeU & ~state_bit(TcpState::kListen);

/// A TIME-WAIT socket is never full.
constexpr std::uint32_t kFullStates = kConnectionStates & ~state_bit(TcpState::kTimeWait);

template <class OnSocket>
Result<void> dump(Kernel& kernel, const SocketDump& request, OnSocket&& on_socket) {
  return kernel
      .dump_sockets(
          request,
          [&](const NetlinkBuffer& buffer) { return parse::parse_socket_dump(buffer, on_socket); })
      .map_error([](Error error) {
        if (error.source.empty()) error.source = "netlink sock_diag";
        return error;
      });
}

template <class OnSocket>
Result<void> read_proc_file(Kernel& kernel, std::string_view path, OnSocket&& on_socket) {
  parse::LineSplitter lines;
  std::size_t number = 0;
  const auto on_line = [&](std::string_view line) -> Result<void> {
    ++number;
    return parse::parse_proc_net_tcp_line(line)
        .map([&](const std::optional<Socket>& socket) {
          if (socket) on_socket(*socket);
        })
        .map_error([&](const Error& error) {
          return Error{error.reason, kernel.proc_path(path),
                       "line " + std::to_string(number) + ": " + error.detail};
        });
  };
  const auto on_piece = [&](std::string_view) -> Result<void> {
    return tl::make_unexpected(Error{ErrorReason::kMalformed, kernel.proc_path(path),
                                     "line " + std::to_string(number + 1) + " is cut off"});
  };
  return kernel
      .stream_proc(path, [&](std::string_view chunk) { return lines.push(chunk, on_line); })
      .and_then([&] { return lines.finish(on_piece); });
}

/// In /proc the listeners stand in the file of their family, before its connections.
template <class OnSocket>
Result<void> read_proc_files(Kernel& kernel, OnSocket&& on_socket) {
  // IPv6 first: a listener on :: covers IPv4 connections too, an IPv4 one never covers IPv6.
  if (auto ipv6 = read_proc_file(kernel, "net/tcp6", on_socket);
      !ipv6 && ipv6.error().reason != ErrorReason::kUnavailable) {
    return ipv6;
  }
  return read_proc_file(kernel, "net/tcp", on_socket);
}

}  // namespace detail

/// Which dumps are worth their price.
struct SocketWalks {
  /// The kernel reports bound idle sockets (since 6.8). They come with the connections, which costs
  /// a fourth more than these alone, for TIME-WAIT sockets stand in the table of bind buckets too.
  bool bound_inactive = false;
  /// A further walk over the table of connections for those that were bound explicitly. It costs
  /// nearly what the pass itself costs.
  bool explicit_binds = false;
};

/// Hands every TCP socket of the namespace to `on_socket(const Socket&)`: the listeners first, then
/// the bound idle ones, then the connections (in dumps by family and in /proc, family after
/// family). Before them come those connections whose program had bound them to their port, to
/// `on_explicit_bind(const Socket&)`, where that is asked for and the kernel can tell.
/// A failure in the middle leaves what was handed over incomplete: the caller throws it away.
template <class OnSocket, class OnExplicitBind>
Result<void> read_sockets(Kernel& kernel, SocketSource source, const SocketWalks& walks,
                          OnSocket&& on_socket, OnExplicitBind&& on_explicit_bind) {
  if (source == SocketSource::kProcNetTcp) {
    return detail::read_proc_files(kernel, on_socket);
  }

  static constexpr std::array kOneRequest{SocketRequest::kBothFamilies};
  static constexpr std::array kTwoRequests{SocketRequest::kIpv6, SocketRequest::kIpv4};
  const std::span<const SocketRequest> requests =
      source == SocketSource::kBothFamilies ? std::span<const SocketRequest>(kOneRequest)
                                            : std::span<const SocketRequest>(kTwoRequests);

  for (const SocketRequest request : requests) {
    if (!walks.explicit_binds) break;
    const SocketDump full{request, detail::kFullStates, /*only_explicit_binds=*/true};
    auto bound = detail::dump(kernel, full, on_explicit_bind);
    // A kernel without the filter shows less, but what it shows is right.
    if (!bound && bound.error().reason != ErrorReason::kUnavailable) return bound;
  }
  // This one walks the short table of listeners alone.
  for (const SocketRequest request : requests) {
    auto listeners = detail::dump(kernel, {request, state_bit(TcpState::kListen)}, on_socket);
    if (!listeners) return listeners;
  }
  const std::uint32_t states =
      detail::kConnectionStates |
      (walks.bound_inactive ? state_bit(TcpState::kBoundInactive) : std::uint32_t{0});
  const auto on_other_socket = [&](const Socket& socket) {
    if (!walks.bound_inactive || socket.state != TcpState::kClose) {
      on_socket(socket);
      return;
    }
    // The kernel reports TCP_BOUND_INACTIVE as TCP_CLOSE. It cannot be a connection's: those leave
    // their table before they close (net/ipv4/tcp.c, tcp_set_state()).
    Socket idle = socket;
    idle.state = TcpState::kBoundInactive;
    on_socket(idle);
  };
  for (const SocketRequest request : requests) {
    auto others = detail::dump(kernel, {request, states}, on_other_socket);
    if (!others) return others;
  }
  return {};
}

}  // namespace timewait
