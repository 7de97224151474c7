#pragma once

#include <arpa/inet.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "collectors/model/socket.h"

namespace timewait::test {

/// From its text; an IPv4-mapped one is folded as everywhere.
inline Address address(const std::string& text) {
  in6_addr bytes{};
  if (inet_pton(AF_INET, text.c_str(), &bytes) == 1) return Address::from_ipv4(&bytes);
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &bytes), 1) << text;
  return Address::from_ipv6(&bytes);
}

/// The remote end of a connection.
struct Destination {
  const char* address = "198.51.100.7";
  std::uint16_t port = 80;
};

inline Socket connection(const char* local, std::uint16_t port, const Destination& to = {},
                         TcpState state = TcpState::kEstablished) {
  Socket socket;
  socket.local = address(local);
  socket.local_port = port;
  socket.remote = address(to.address);
  socket.remote_port = to.port;
  socket.state = state;
  return socket;
}

/// Connections of one tuple, one from each port.
inline std::vector<Socket> connections(const char* local, const Destination& to,
                                       std::initializer_list<std::uint16_t> ports,
                                       TcpState state = TcpState::kEstablished) {
  std::vector<Socket> sockets;
  for (const std::uint16_t port : ports) sockets.push_back(connection(local, port, to, state));
  return sockets;
}

/// What is left of a connection in TIME-WAIT or FIN-WAIT-2.
inline Socket minisock(Socket socket, std::chrono::milliseconds left,
                       TcpState state = TcpState::kTimeWait) {
  socket.state = state;
  socket.is_minisock = true;
  socket.expires_in = std::chrono::duration_cast<decltype(socket.expires_in)>(left);
  return socket;
}

/// A listening or, with the other state, a bound idle socket.
inline Socket idle_socket(const char* local, std::uint16_t port,
                          std::optional<bool> ipv6_only = std::nullopt,
                          TcpState state = TcpState::kListen) {
  Socket socket;
  socket.local = address(local);
  socket.remote = Address::any(socket.local.family());
  socket.local_port = port;
  socket.state = state;
  socket.ipv6_only = ipv6_only;
  return socket;
}

inline std::vector<Socket> operator+(std::vector<Socket> left, const std::vector<Socket>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace timewait::test
