#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/live/support/tcp.h"

namespace timewait::test {

/// The addresses that a test's connections use, and the families that the exporter is to count
/// their sockets under.
struct Addressing {
  std::string name;
  std::string listen_address;
  std::string connect_address;
  std::string listen_family;
  std::string family;
};

inline std::ostream& operator<<(std::ostream& out, const Addressing& addressing) {
  return out << addressing.name;
}

const Addressing& ipv4_addressing();
const Addressing& ipv6_addressing();
/// AF_INET6 sockets that speak IPv4, the server's accepted by a listener on `::`.
const Addressing& mapped_addressing();
/// All three.
std::vector<Addressing> every_addressing();

/// Both ends of a connection over lo.
struct Connection {
  FileDescriptor client;
  FileDescriptor server;
};

/// A listener and the connections that are made to it.
class Service {
 public:
  explicit Service(const Addressing& addressing, const ListenOptions& options = {},
                   std::uint16_t port = 0)
      : listener_(open_listener({addressing.listen_address, port}, options)),
        endpoint_(addressing.connect_address, Endpoint::local_of(listener_).port()) {}

  const FileDescriptor& listener() const { return listener_; }
  const Endpoint& endpoint() const { return endpoint_; }

  Connection connect() const {
    FileDescriptor client = open_connected(endpoint_);
    return {std::move(client), accept_from(listener_)};
  }
  std::vector<Connection> connect(std::size_t count) const;

 private:
  FileDescriptor listener_;
  Endpoint endpoint_;
};

/// A connection that nobody accepts: all that the queue of a listener with backlog 0 takes.
FileDescriptor fill_accept_queue(const Service& service);

// What becomes of an established connection. Each waits until the ends that are still open have got
// there; closed ones need wait_for_count.

/// The client's end goes into TIME-WAIT, the server's disappears.
void close_client_first(Connection& connection);
/// The server's end goes into TIME-WAIT, the client's disappears.
void close_server_first(Connection& connection);
/// Client FIN-WAIT-2 as a full socket, server CLOSE-WAIT.
void half_close(Connection& connection);
/// Client FIN-WAIT-2 that no process holds, server CLOSE-WAIT.
void orphan_half_closed(Connection& connection);
/// Client FIN-WAIT-1, server ESTABLISHED: the FIN waits behind unsent data.
void hold_in_fin_wait1(Connection& connection);
/// Client FIN-WAIT-2, server LAST-ACK that no process holds: its FIN waits behind unsent data.
void hold_in_last_ack(Connection& connection);
/// Client CLOSING, server FIN-WAIT-2: both have sent FIN, the client's waits behind unsent data.
void hold_in_closing(Connection& connection);

}  // namespace timewait::test
