#include "tests/unit/http/socket_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "daemon/http/ascii.h"

namespace timewait::test {

namespace {

constexpr int kPatience = 20'000;  // milliseconds
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kUnixPrefix = "unix:";

int connect_unix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0) return fd;
  ::close(fd);
  return -1;
}

int connect_tcp(const std::string& address, int receive_buffer) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0)
    return -1;
  int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  if (fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    ::close(fd);
    fd = -1;
  }
  ::freeaddrinfo(found);
  return fd;
}

std::string lower(std::string text) {
  for (char& c : text) c = ascii_lower(c);
  return text;
}

Reply parse_head(const std::string& head) {
  Reply reply;
  std::istringstream lines(head);
  lines >> reply.version >> reply.status;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line != "\r") {
    line.pop_back();
    const auto colon = line.find(": ");
    if (colon != std::string::npos) {
      reply.fields[lower(line.substr(0, colon))] = line.substr(colon + 2);
    }
  }
  return reply;
}

}  // namespace

SocketClient::SocketClient(const std::string& address, int receive_buffer)
    : fd_(address.starts_with(kUnixPrefix) ? connect_unix(address.substr(kUnixPrefix.size()))
                                           : connect_tcp(address, receive_buffer)),
      connected_(fd_ >= 0) {}

SocketClient::SocketClient(SocketClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      connected_(other.connected_),
      received_(std::move(other.received_)) {}

SocketClient::~SocketClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool SocketClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<Reply> SocketClient::receive(Body body) {
  while (received_.find(kHeadEnd) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  const auto head_size = received_.find(kHeadEnd) + kHeadEnd.size();
  Reply reply = parse_head(received_.substr(0, head_size));
  received_.erase(0, head_size);
  if (body == Body::kNone) return reply;
  const auto size = std::stoul(reply.field("content-length"));
  while (received_.size() < size) {
    if (!read_more()) return std::nullopt;
  }
  reply.body = received_.substr(0, size);
  received_.erase(0, size);
  return reply;
}

std::optional<Reply> SocketClient::get(const std::string& target, const std::string& extra_fields) {
  send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + extra_fields + "\r\n");
  return receive();
}

bool SocketClient::receive_something() { return !received_.empty() || read_more(); }

bool SocketClient::wait_for_end() {
  while (wait_readable(kPatience)) {
    if (!read_more()) return true;
  }
  return false;
}

bool SocketClient::wait_for_reset() const {
  pollfd waiting{fd_, 0, 0};
  return ::poll(&waiting, 1, kPatience) == 1;
}

bool SocketClient::ended_within(int milliseconds) {
  while (wait_readable(milliseconds)) {
    if (!read_more()) return true;
  }
  return false;
}

bool SocketClient::wait_readable(int milliseconds) const {
  pollfd waiting{fd_, POLLIN, 0};
  return ::poll(&waiting, 1, milliseconds) == 1;
}

bool SocketClient::read_more() {
  if (!wait_readable(kPatience)) return false;
  std::array<char, 65'536> chunk{};
  const auto size = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (size <= 0) return false;
  received_.append(chunk.data(), static_cast<std::size_t>(size));
  return true;
}

}  // namespace timewait::test
