#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/file_descriptor.h"

// TCP sockets for tests. Every function throws, which fails the test, where the kernel refuses.
// Descriptors are closed on exec: a program that a test starts holds none of them.

namespace timewait::test {

/// TCP states by the kernel's numbers (include/net/tcp_states.h), apart from the program's own.
enum class KernelState : std::uint8_t {
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
};

class Endpoint {
 public:
  /// `address` as inet_pton takes it. An IPv4-mapped one makes AF_INET6 sockets.
  Endpoint(const std::string& address, std::uint16_t port);

  static Endpoint local_of(const FileDescriptor& socket);

  int family() const { return address_.any.sa_family; }
  std::uint16_t port() const;
  std::string text() const;
  const sockaddr* data() const { return &address_.any; }
  socklen_t size() const {
    return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }

 private:
  Endpoint() = default;

  union {
    sockaddr_in6 ipv6;  // the largest first: its initialiser leaves nothing undefined
    sockaddr_in ipv4;
    sockaddr any;
  } address_{};
};

struct ListenOptions {
  int backlog = SOMAXCONN;
  bool ipv6_only = false;
  /// TCP_DEFER_ACCEPT: a connection stays in SYN-RECV until its client sends data.
  bool defers_accept = false;
};

FileDescriptor open_listener(const Endpoint& endpoint, const ListenOptions& options = {});
/// Bound and nothing more; port 0 lets the kernel choose.
FileDescriptor open_bound(const Endpoint& endpoint);
/// Nothing where the endpoint is taken (EADDRINUSE).
std::optional<FileDescriptor> try_listen(const Endpoint& endpoint,
                                         const ListenOptions& options = {});
struct BindOptions {
  bool reuses_address = false;  ///< SO_REUSEADDR
};
std::optional<FileDescriptor> try_bind(const Endpoint& endpoint, const BindOptions& options = {});
FileDescriptor open_connected(const Endpoint& remote);

/// Bound to `local` first, whose port may be 0.
FileDescriptor open_connected_from(const Endpoint& local, const Endpoint& remote);

/// Nothing where no free port is left (EADDRNOTAVAIL).
std::optional<FileDescriptor> try_connect(const Endpoint& remote);

/// The same from a socket that is bound to an address alone (IP_BIND_ADDRESS_NO_PORT).
std::optional<FileDescriptor> try_connect_from(const std::string& local_address,
                                               const Endpoint& remote);

/// Connects a socket that has a port. False where another holds the quadruplet (EADDRNOTAVAIL).
bool try_connect_bound(const FileDescriptor& socket, const Endpoint& remote);

/// Sends the SYN and does not wait for its answer.
FileDescriptor begin_connect(const Endpoint& remote);

FileDescriptor accept_from(const FileDescriptor& listener);

/// FIN: no more data in this direction.
void shut_down_writing(const FileDescriptor& socket);

/// close() answers with RST instead of FIN.
void reset_on_close(const FileDescriptor& socket);

/// Writes until data stays unsent because the peer, which does not read, has closed its window.
/// What is sent from then on, a FIN included, stays behind that data.
void fill_peer_window(const FileDescriptor& socket);

KernelState state_of(const FileDescriptor& socket);
void wait_for_state(const FileDescriptor& socket, KernelState state);

/// Connections of a listener that wait to be accepted.
std::size_t accept_queue_length(const FileDescriptor& listener);

/// A line of /proc/net/tcp or tcp6. Addresses are printed by inet_ntop, IPv4-mapped ones as IPv4.
struct ProcSocket {
  std::string local;
  std::uint16_t local_port = 0;
  std::string remote;
  std::uint16_t remote_port = 0;
  KernelState state{};
  bool is_ipv6 = false;  ///< and not IPv4-mapped
};

/// The namespace's sockets, without bound idle ones.
std::vector<ProcSocket> sockets_in_proc();

/// Sockets in `state` by /proc/net/tcp and tcp6 of the namespace.
std::size_t count_in_proc(KernelState state);
void wait_for_count(KernelState state, std::size_t count);

}  // namespace timewait::test
