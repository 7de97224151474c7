#include "tests/live/support/tcp.h"

#include <arpa/inet.h>
#include <linux/tcp.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "tests/live/support/wait.h"

namespace timewait::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void set_option(const FileDescriptor& socket, int level, int option, int value) {
  if (::setsockopt(socket.get(), level, option, &value, sizeof(value)) != 0) {
    fail("setsockopt " + std::to_string(option));
  }
}

/// accept() and connect() on it give up after kPatience.
FileDescriptor open_socket(int family) {
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) fail("socket");
  constexpr timeval kTimeout{.tv_sec = kPatience / std::chrono::seconds(1), .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(socket.get(), SOL_SOCKET, option, &kTimeout, sizeof(kTimeout)) != 0) {
      fail("setsockopt " + std::to_string(option));
    }
  }
  return socket;
}

void bind_to(const FileDescriptor& socket, const Endpoint& endpoint) {
  if (::bind(socket.get(), endpoint.data(), endpoint.size()) != 0) {
    fail("bind to " + endpoint.text());
  }
}

void connect_to(const FileDescriptor& socket, const Endpoint& remote) {
  if (::connect(socket.get(), remote.data(), remote.size()) != 0) {
    fail("connect to " + remote.text());
  }
}

tcp_info info_of(const FileDescriptor& socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) fail("TCP_INFO");
  return info;
}

/// False where the send buffer is full.
bool write_some(const FileDescriptor& socket) {
  static constexpr std::array<char, 16384> kData{};
  if (::send(socket.get(), kData.data(), kData.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
    return true;
  }
  if (errno != EAGAIN) fail("send");
  return false;
}

std::size_t count_in_proc_file(const std::string& path, KernelState state) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // the heading
  std::size_t count = 0;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot;
    std::string local;
    std::string remote;
    unsigned found = 0;
    words >> slot >> local >> remote >> std::hex >> found;
    if (found == static_cast<unsigned>(state)) ++count;
  }
  return count;
}

}  // namespace

Endpoint::Endpoint(const std::string& address, std::uint16_t port) {
  if (::inet_pton(AF_INET, address.c_str(), &address_.ipv4.sin_addr) == 1) {
    address_.ipv4.sin_family = AF_INET;
    address_.ipv4.sin_port = htons(port);
  } else if (::inet_pton(AF_INET6, address.c_str(), &address_.ipv6.sin6_addr) == 1) {
    address_.ipv6.sin6_family = AF_INET6;
    address_.ipv6.sin6_port = htons(port);
  } else {
    throw std::invalid_argument("not an address: " + address);
  }
}

Endpoint Endpoint::local_of(const FileDescriptor& socket) {
  Endpoint endpoint;
  socklen_t size = sizeof(endpoint.address_);
  if (::getsockname(socket.get(), &endpoint.address_.any, &size) != 0) fail("getsockname");
  return endpoint;
}

std::uint16_t Endpoint::port() const {
  return ntohs(family() == AF_INET ? address_.ipv4.sin_port : address_.ipv6.sin6_port);
}

std::string Endpoint::text() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  const void* const address = family() == AF_INET
                                  ? static_cast<const void*>(&address_.ipv4.sin_addr)
                                  : static_cast<const void*>(&address_.ipv6.sin6_addr);
  ::inet_ntop(family(), address, host.data(), host.size());
  return std::string(host.data()) + " port " + std::to_string(port());
}

FileDescriptor open_listener(const Endpoint& endpoint, const ListenOptions& options) {
  FileDescriptor socket = open_socket(endpoint.family());
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (endpoint.family() == AF_INET6) {
    set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
  }
  if (options.defers_accept) set_option(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, 60);
  bind_to(socket, endpoint);
  if (::listen(socket.get(), options.backlog) != 0) fail("listen on " + endpoint.text());
  return socket;
}

FileDescriptor open_bound(const Endpoint& endpoint) {
  FileDescriptor socket = open_socket(endpoint.family());
  bind_to(socket, endpoint);
  return socket;
}

FileDescriptor open_connected(const Endpoint& remote) {
  FileDescriptor socket = open_socket(remote.family());
  connect_to(socket, remote);
  return socket;
}

FileDescriptor open_connected_from(const Endpoint& local, const Endpoint& remote) {
  FileDescriptor socket = open_bound(local);
  connect_to(socket, remote);
  return socket;
}

std::optional<FileDescriptor> try_connect(const Endpoint& remote) {
  FileDescriptor socket = open_socket(remote.family());
  if (::connect(socket.get(), remote.data(), remote.size()) == 0) return socket;
  if (errno == EADDRNOTAVAIL) return std::nullopt;
  fail("connect to " + remote.text());
}

FileDescriptor begin_connect(const Endpoint& remote) {
  FileDescriptor socket(::socket(remote.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) fail("socket");
  if (::connect(socket.get(), remote.data(), remote.size()) == 0 || errno != EINPROGRESS) {
    fail("connect to " + remote.text() + " was to stay under way");
  }
  return socket;
}

FileDescriptor accept_from(const FileDescriptor& listener) {
  FileDescriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.is_open()) fail("accept");
  return socket;
}

void shut_down_writing(const FileDescriptor& socket) {
  if (::shutdown(socket.get(), SHUT_WR) != 0) fail("shutdown");
}

void reset_on_close(const FileDescriptor& socket) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0) {
    fail("SO_LINGER");
  }
}

void fill_peer_window(const FileDescriptor& socket) {
  // The kernel may send what is left of the window later, with a probe: never as much as this.
  constexpr std::uint32_t kUnsent = 128 * 1024;
  set_option(socket, SOL_SOCKET, SO_SNDBUF, 512 * 1024);
  wait_until("the peer's window to close", [&] {
    while (write_some(socket)) {
    }
    const tcp_info info = info_of(socket);
    return info.tcpi_unacked == 0 && info.tcpi_notsent_bytes >= kUnsent;
  });
}

KernelState state_of(const FileDescriptor& socket) {
  return static_cast<KernelState>(info_of(socket).tcpi_state);
}

void wait_for_state(const FileDescriptor& socket, KernelState state) {
  wait_until("TCP state " + std::to_string(static_cast<int>(state)),
             [&] { return state_of(socket) == state; });
}

std::size_t accept_queue_length(const FileDescriptor& listener) {
  return info_of(listener).tcpi_unacked;  // of a listening socket: tcp_get_info, net/ipv4/tcp.c
}

std::size_t count_in_proc(KernelState state) {
  return count_in_proc_file("/proc/net/tcp", state) + count_in_proc_file("/proc/net/tcp6", state);
}

void wait_for_count(KernelState state, std::size_t count) {
  wait_until(
      std::to_string(count) + " sockets in TCP state " + std::to_string(static_cast<int>(state)),
      [&] { return count_in_proc(state) == count; });
}

}  // namespace timewait::test
