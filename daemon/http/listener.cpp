#include "daemon/http/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "collectors/parse/text.h"
#include "daemon/environment.h"
#include "daemon/file_descriptor.h"

namespace timewait {

namespace {

tl::unexpected<std::string> error(std::string text) { return tl::make_unexpected(std::move(text)); }

std::string errno_text(int code) { return std::generic_category().message(code); }

/// A socket address of any family, and how many bytes of it count.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

tl::expected<SocketAddress, std::string> tcp_address(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return error(::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  SocketAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  return address;
}

tl::expected<SocketAddress, std::string> unix_address(const std::string& path) {
  sockaddr_un name{};
  if (path.size() >= sizeof(name.sun_path)) return error(errno_text(ENAMETOOLONG));
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  SocketAddress address;
  std::memcpy(&address.storage, &name, sizeof(name));
  address.size = sizeof(name);
  return address;
}

std::string unix_text(const SocketAddress& address) {
  sockaddr_un name{};
  std::memcpy(&name, &address.storage, sizeof(name));
  const std::size_t offset = offsetof(sockaddr_un, sun_path);
  // The kernel counts a closing NUL that may lie beyond the structure.
  const std::size_t size = std::min<std::size_t>(address.size, sizeof(name)) - offset;
  std::string path(name.sun_path, size);
  if (path.starts_with('\0')) {
    path.front() = '@';
  } else {
    path.erase(std::min(path.find('\0'), path.size()));
  }
  return "unix:" + path;
}

std::string bound_address(int fd) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (::getsockname(fd, address.get(), &address.size) != 0) return "an unknown address";
  if (address.family() == AF_UNIX) return unix_text(address);

  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address.get(), address.size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an unknown address";
  }
  const std::string text = host.data();
  return (address.family() == AF_INET6 ? "[" + text + "]" : text) + ":" + port.data();
}

FileDescriptor new_socket(int family) {
  return FileDescriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

enum class Families : std::uint8_t { kOne, kBoth };

bool set_option(int fd, int level, int option, bool on) {
  const int value = on ? 1 : 0;
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/// A socket that is yet to be bound, or the errno of the step that failed.
tl::expected<FileDescriptor, int> make_socket(const SocketAddress& address, Families families) {
  FileDescriptor socket = new_socket(address.family());
  if (socket.get() < 0) return tl::make_unexpected(errno);
  if (address.family() != AF_UNIX && !set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, true)) {
    return tl::make_unexpected(errno);
  }
  if (address.family() == AF_INET6 &&
      !set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, families == Families::kOne)) {
    return tl::make_unexpected(errno);
  }
  return socket;
}

/// Lets these sockets share a port for as long as it lives.
class PortSharing {
 public:
  explicit PortSharing(std::vector<int> sockets) : sockets_(std::move(sockets)) { allow(true); }
  PortSharing(const PortSharing&) = delete;
  PortSharing& operator=(const PortSharing&) = delete;
  PortSharing(PortSharing&&) = delete;
  PortSharing& operator=(PortSharing&&) = delete;
  ~PortSharing() { allow(false); }

 private:
  void allow(bool on) {
    for (const int fd : sockets_) set_option(fd, SOL_SOCKET, SO_REUSEPORT, on);
  }

  std::vector<int> sockets_;
};

/// Binds and listens; gives the errno of what failed, or 0.
int bind_and_listen(int fd, const SocketAddress& address) {
  const bool done = ::bind(fd, address.get(), address.size) == 0 && ::listen(fd, SOMAXCONN) == 0;
  return done ? 0 : errno;
}

/// `beside`: sockets that may listen where this one is to.
tl::expected<FileDescriptor, int> open_socket(const SocketAddress& address, Families families,
                                              std::span<const int> beside = {}) {
  auto socket = make_socket(address, families);
  if (!socket) return socket;
  int failed = bind_and_listen(socket->get(), address);
  if (failed == EADDRINUSE && !beside.empty()) {
    std::vector<int> sharing(beside.begin(), beside.end());
    sharing.push_back(socket->get());
    const PortSharing while_binding(std::move(sharing));
    failed = bind_and_listen(socket->get(), address);
  }
  if (failed != 0) return tl::make_unexpected(failed);
  return socket;
}

Listener take_over(FileDescriptor socket, std::optional<Listener::SocketFile> file = std::nullopt) {
  const int fd = socket.release();
  return {fd, bound_address(fd), std::move(file)};
}

tl::expected<Listener, std::string> listen_on_tcp(const std::string& host, std::uint16_t port,
                                                  std::span<const int> beside) {
  const bool any = host.empty();
  const auto address = tcp_address(any ? "::" : host, port);
  if (!address) return error(address.error());
  auto socket = open_socket(*address, any ? Families::kBoth : Families::kOne, beside);
  if (!socket && any && socket.error() == EAFNOSUPPORT) {
    return listen_on_tcp("0.0.0.0", port, beside);
  }
  if (!socket) return error(errno_text(socket.error()));
  return take_over(*std::move(socket));
}

/// A socket file that refuses connections was left behind by a process that is gone.
bool is_stale(const SocketAddress& address, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const FileDescriptor probe = new_socket(AF_UNIX);
  return probe.get() >= 0 && ::connect(probe.get(), address.get(), address.size) != 0 &&
         errno == ECONNREFUSED;
}

tl::expected<Listener, std::string> listen_on_unix(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return error(address.error());
  auto socket = open_socket(*address, Families::kOne);
  if (!socket && socket.error() == EADDRINUSE && is_stale(*address, path)) {
    ::unlink(path.c_str());
    socket = open_socket(*address, Families::kOne);
  }
  if (!socket) return error(errno_text(socket.error()));
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return error(errno_text(errno));
  return take_over(*std::move(socket), Listener::SocketFile{path, status.st_dev, status.st_ino});
}

int socket_option(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_stream_listener(int fd) {
  const int domain = socket_option(fd, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX) &&
         socket_option(fd, SO_TYPE) == SOCK_STREAM && socket_option(fd, SO_ACCEPTCONN) == 1;
}

}  // namespace

Listener::Listener(int fd, std::string address, std::optional<SocketFile> file)
    : fd_(fd), address_(std::move(address)), file_(std::move(file)) {}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      address_(std::move(other.address_)),
      file_(std::exchange(other.file_, std::nullopt)) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  address_ = std::move(other.address_);
  file_ = std::exchange(other.file_, std::nullopt);
  return *this;
}

Listener::~Listener() { close(); }

int Listener::release() { return std::exchange(fd_, -1); }

void Listener::close() {
  if (file_) {
    struct stat status {};
    if (::lstat(file_->path.c_str(), &status) == 0 && status.st_dev == file_->device &&
        status.st_ino == file_->inode) {
      ::unlink(file_->path.c_str());
    }
    file_.reset();
  }
  if (fd_ >= 0) ::close(release());
}

tl::expected<Listener, std::string> listen_on(const config::ListenAddress& address,
                                              std::span<const int> beside) {
  auto listener = address.is_unix() ? listen_on_unix(address.unix_path)
                                    : listen_on_tcp(address.host, address.port, beside);
  return std::move(listener).map_error([&](const std::string& why) {
    return "cannot listen on " + config::to_string(address) + ": " + why;
  });
}

tl::expected<Listener, std::string> adopt_listener(int fd) {
  const std::string refusal = "cannot listen on file descriptor " + std::to_string(fd) + ": ";
  const int flags = ::fcntl(fd, F_GETFD);
  if (flags < 0) return error(refusal + errno_text(errno));
  if (!is_stream_listener(fd)) return error(refusal + "not a listening stream socket");
  if (::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) return error(refusal + errno_text(errno));
  return Listener(fd, bound_address(fd));
}

tl::expected<std::vector<Listener>, std::string> adopt_systemd_listeners(
    const char* const* environment, int first_fd) {
  const auto pid = find_variable(environment, "LISTEN_PID");
  const auto fds = find_variable(environment, "LISTEN_FDS");
  if (!pid || !fds) return error("systemd passed no socket: LISTEN_PID and LISTEN_FDS are not set");
  if (parse::parse_number<int>(*pid) != ::getpid()) {
    return error("systemd passed no socket: LISTEN_PID is not this process");
  }
  const auto count = parse::parse_number<int>(*fds);
  if (!count || *count <= 0) {
    return error("systemd passed no socket: LISTEN_FDS is not a positive number");
  }
  std::vector<Listener> listeners;
  for (int i = 0; i < *count; ++i) {
    auto listener = adopt_listener(first_fd + i);
    if (!listener) return error(std::move(listener.error()));
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

}  // namespace timewait
