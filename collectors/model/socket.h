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

/// One TCP socket as a dump reports it.
struct Socket {
  Address local;
  Address remote;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  TcpState state = TcpState::kEstablished;
  /// A TIME-WAIT minisock, which also stands for an orphaned FIN-WAIT-2; false for a full socket.
  bool is_minisock = false;
  /// IPV6_V6ONLY of a listening or bound IPv6 socket, where the kernel tells.
  std::optional<bool> ipv6_only;
  /// Until the minisock's timer runs out.
  std::chrono::duration<std::uint32_t, std::milli> expires_in{};
};

}  // namespace timewait
