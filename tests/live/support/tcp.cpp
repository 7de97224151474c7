#include "tests/live/support/tcp.h"

#include <arpa/inet.h>
#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

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

/// `0100007F:1F90`: words of 32 bits as this machine holds them in memory.
std::pair<in6_addr, std::uint16_t> parse_proc_endpoint(const std::string& text) {
  constexpr std::size_t kDigits = 8;
  const std::size_t colon = text.find(':');
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < colon; i += kDigits) {
    words.push_back(static_cast<std::uint32_t>(std::stoul(text.substr(i, kDigits), nullptr, 16)));
  }
  if (words.size() == 1) words.insert(words.begin(), {0, 0, htonl(0xffff)});
  in6_addr address{};
  std::memcpy(&address, words.data(), sizeof(address));
  return {address, static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1), nullptr, 16))};
}

std::string print_folded(const in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    ::inet_ntop(AF_INET, &address.s6_addr[12], text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  }
  return text.data();
}

ProcSocket parse_proc_line(const std::string& line) {
  std::istringstream words(line);
  std::string slot;
  std::string local;
  std::string remote;
  unsigned state = 0;
  words >> slot >> local >> remote >> std::hex >> state;
  const auto [local_address, local_port] = parse_proc_endpoint(local);
  const auto [remote_address, remote_port] = parse_proc_endpoint(remote);
  return {print_folded(local_address),     local_port,
          print_folded(remote_address),    remote_port,
          static_cast<KernelState>(state), !IN6_IS_ADDR_V4MAPPED(&local_address)};
}

void read_proc_file(const std::string& path, std::vector<ProcSocket>& sockets) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) sockets.push_back(parse_proc_line(line));
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
  if (auto socket = try_listen(endpoint, options)) return *std::move(socket);
  fail("listen on " + endpoint.text());
}

std::optional<FileDescriptor> try_listen(const Endpoint& endpoint, const ListenOptions& options) {
  FileDescriptor socket = open_socket(endpoint.family());
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (endpoint.family() == AF_INET6) {
    set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
  }
  if (options.defers_accept) set_option(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, 60);
  if (::bind(socket.get(), endpoint.data(), endpoint.size()) == 0 &&
      ::listen(socket.get(), options.backlog) == 0) {
    return socket;
  }
  if (errno == EADDRINUSE) return std::nullopt;
  fail("listen on " + endpoint.text());
}

FileDescriptor open_bound(const Endpoint& endpoint) {
  if (auto socket = try_bind(endpoint)) return *std::move(socket);
  fail("bind to " + endpoint.text());
}

std::optional<FileDescriptor> try_bind(const Endpoint& endpoint, const BindOptions& options) {
  FileDescriptor socket = open_socket(endpoint.family());
  if (options.reuses_address) set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(socket.get(), endpoint.data(), endpoint.size()) == 0) return socket;
  if (errno == EADDRINUSE) return std::nullopt;
  fail("bind to " + endpoint.text());
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
  if (try_connect_bound(socket, remote)) return socket;
  return std::nullopt;
}

std::optional<FileDescriptor> try_connect_from(const std::string& local_address,
                                               const Endpoint& remote) {
  FileDescriptor socket = open_socket(remote.family());
  set_option(socket, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const Endpoint local(local_address, 0);
  if (::bind(socket.get(), local.data(), local.size()) != 0) fail("bind to " + local.text());
  if (try_connect_bound(socket, remote)) return socket;
  return std::nullopt;
}

bool try_connect_bound(const FileDescriptor& socket, const Endpoint& remote) {
  if (::connect(socket.get(), remote.data(), remote.size()) == 0) return true;
  if (errno == EADDRNOTAVAIL) return false;
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

std::vector<ProcSocket> sockets_in_proc() {
  std::vector<ProcSocket> sockets;
  read_proc_file("/proc/net/tcp", sockets);
  read_proc_file("/proc/net/tcp6", sockets);
  return sockets;
}

std::size_t count_in_proc(KernelState state) {
  return static_cast<std::size_t>(std::ranges::count(sockets_in_proc(), state, &ProcSocket::state));
}

void wait_for_count(KernelState state, std::size_t count) {
  wait_until(
      std::to_string(count) + " sockets in TCP state " + std::to_string(static_cast<int>(state)),
      [&] { return count_in_proc(state) == count; });
}

}  // namespace timewait::test
