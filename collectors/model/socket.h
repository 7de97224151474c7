#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/model/address.h"

namespace timewait {

/// The kernel's numbers (include/net/tcp_states.h). kClose is a socket caught between states in the
/// table of connections; kBoundInactive is one that is bound, but neither listens nor connects.
enum class TcpState : std::uint8_t {
  kEstablished = 1,
  kSynSent,
  kSynRecv,
  kFinWait1,
  kFinWait2,
  kTimeWait,
  kClose,
  kCloseWait,
  kLastAck,
  kListen,
  kClosing,
  kBoundInactive = 13,
};

/// One past the largest state, for arrays indexed by state.
inline constexpr std::size_t kTcpStateLimit = 14;

/// Every state with its label, in the order of the documentation.
struct NamedTcpState {
  TcpState state;
  std::string_view name;
};
inline constexpr std::array kTcpStates{
    NamedTcpState{TcpState::kEstablished, "established"},
    NamedTcpState{TcpState::kSynSent, "syn_sent"},
    NamedTcpState{TcpState::kSynRecv, "syn_recv"},
    NamedTcpState{TcpState::kFinWait1, "fin_wait1"},
    NamedTcpState{TcpState::kFinWait2, "fin_wait2"},
    NamedTcpState{TcpState::kTimeWait, "time_wait"},
    NamedTcpState{TcpState::kClose, "close"},
    NamedTcpState{TcpState::kCloseWait, "close_wait"},
    NamedTcpState{TcpState::kLastAck, "last_ack"},
    NamedTcpState{TcpState::kListen, "listen"},
    NamedTcpState{TcpState::kClosing, "closing"},
    NamedTcpState{TcpState::kBoundInactive, "bound_inactive"},
};

constexpr std::uint32_t state_bit(TcpState state) {
  return std::uint32_t{1} << static_cast<std::uint32_t>(state);
}

/// The state behind a number that the kernel prints or sends; nothing for one that it has not.
constexpr std::optional<TcpState> tcp_state_from_kernel(std::uint8_t number) {
  constexpr std::uint8_t kNewSynRecv = 12;  // a request socket inside the kernel
  if (number == kNewSynRecv) return TcpState::kSynRecv;
  const bool is_known = (number >= static_cast<std::uint8_t>(TcpState::kEstablished) &&
                         number <= static_cast<std::uint8_t>(TcpState::kClosing)) ||
                        number == static_cast<std::uint8_t>(TcpState::kBoundInactive);
  if (!is_known) return std::nullopt;
  return static_cast<TcpState>(number);
}

/// Whether only a minisock is left of a socket, by the number of its timer (net/ipv4/inet_diag.c,
/// inet_twsk_diag_fill; net/ipv4/tcp_ipv4.c, get_timewait4_sock).
constexpr bool is_minisock(TcpState state, std::uint8_t timer) {
  constexpr std::uint8_t kTimeWaitTimer = 3;
  return timer == kTimeWaitTimer && (state == TcpState::kTimeWait || state == TcpState::kFinWait2);
}

/// True for a socket that belongs to no quadruplet: it listens, or is bound and does nothing.
constexpr bool is_idle(TcpState state) {
  return state == TcpState::kListen || state == TcpState::kBoundInactive;
}

/// TCP_TIMEWAIT_LEN, include/net/tcp.h: no sysctl changes it.
inline constexpr std::chrono::seconds kTimeWaitLength{60};

/// One TCP socket as a dump reports it.
struct Socket {
  Address local;
  Address remote;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  TcpState state = TcpState::kEstablished;
  /// A TIME-WAIT minisock, which also stands for an orphaned FIN-WAIT-2; false for a full socket.
  bool is_minisock = false;
  /// The interface that the socket is bound to, by its index; 0 for any, or where the kernel does
  /// not tell.
  std::uint32_t device = 0;
  /// IPV6_V6ONLY of a listening or a bound idle IPv6 socket, where the kernel tells.
  std::optional<bool> ipv6_only;
  /// Until the minisock's timer runs out.
  std::chrono::duration<std::uint32_t, std::milli> expires_in{};
};

}  // namespace timewait
