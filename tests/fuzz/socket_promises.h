#pragma once

#include "collectors/model/socket.h"
#include "tests/fuzz/target.h"

namespace timewait::fuzz {

/// What holds for every socket, whatever it was read from. Ports need no check: their type has no
/// room for others.
inline void check(const Socket& socket) {
  bool known = false;
  for (const NamedTcpState& each : kTcpStates) known = known || each.state == socket.state;
  require(known, "a socket has one of the known states");

  const bool may_be_minisock =
      socket.state == TcpState::kTimeWait || socket.state == TcpState::kFinWait2;
  require(may_be_minisock || !socket.is_minisock, "a minisock is in TIME-WAIT or FIN-WAIT-2");
  require(socket.is_minisock || socket.expires_in.count() == 0, "only a minisock's time runs out");
  // The kernel reports a bound idle socket as CLOSE.
  const bool may_tell = socket.state == TcpState::kListen || socket.state == TcpState::kClose ||
                        socket.state == TcpState::kBoundInactive;
  require(may_tell || !socket.ipv6_only, "IPV6_V6ONLY is told of idle sockets alone");
  for (const Address& address : {socket.local, socket.remote}) {
    const bool has_colon = to_string(address).find(':') != std::string::npos;
    require(has_colon == (address.family() == Family::kIpv6), "an address prints as its family");
  }
}

}  // namespace timewait::fuzz
