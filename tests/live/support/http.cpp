#include "tests/live/support/http.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <stdexcept>

namespace timewait::test {

FileDescriptor connect_to_unix_socket(const std::string& path) {
  sockaddr_un name{};
  if (path.size() >= sizeof(name.sun_path)) throw std::invalid_argument("too long: " + path);
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* const address = reinterpret_cast<const sockaddr*>(&name);
  if (::connect(socket.get(), address, sizeof(name)) != 0) return FileDescriptor();
  return socket;
}

std::string http_get(const FileDescriptor& connection, const std::string& path) {
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string reply;
  std::array<char, 65536> chunk{};
  ssize_t count = 0;
  while ((count = ::recv(connection.get(), chunk.data(), chunk.size(), 0)) > 0) {
    reply.append(chunk.data(), static_cast<std::size_t>(count));
  }
  const std::size_t head = reply.find("\r\n\r\n");
  if (count < 0 || !reply.starts_with("HTTP/1.1 200 ") || head == std::string::npos) return {};
  return reply.substr(head + 4);
}

}  // namespace timewait::test
