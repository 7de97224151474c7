#include "tests/bench/scrape_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include "daemon/file_descriptor.h"

namespace timewait::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr timeval kTimeout{.tv_sec = 10, .tv_usec = 0};
constexpr std::string_view kEndOfHead = "\r\n\r\n";

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

FileDescriptor connect_to(std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof(kTimeout)) != 0 ||
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fail("connecting");
  }
  return socket;
}

/// The value of a header, whose name is in lower case.
std::optional<std::string> header_value(std::string_view head, std::string_view name) {
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string field = "\r\n" + std::string(name) + ": ";
  const std::size_t found = lower.find(field);
  if (found == std::string::npos) return std::nullopt;
  const std::size_t begin = found + field.size();
  return lower.substr(begin, lower.find("\r\n", begin) - begin);
}

/// A reply as far as it has come.
class Reply {
 public:
  void append(std::string_view bytes) { text_.append(bytes); }
  void clear() { text_.clear(); }

  bool is_whole() {
    const std::size_t end = text_.find(kEndOfHead);
    if (end == std::string::npos) return false;
    const std::string_view head = std::string_view(text_).substr(0, end + 2);
    if (!head.starts_with("HTTP/1.1 200 ")) throw std::runtime_error("a scrape was refused");
    const std::string_view body = std::string_view(text_).substr(end + kEndOfHead.size());
    body_size_ = body.size();
    if (const auto length = header_value(head, "content-length")) {
      return body.size() >= static_cast<std::size_t>(std::stoull(*length));
    }
    return body.ends_with("\r\n0\r\n\r\n");  // chunked
  }

  std::size_t body_size() const { return body_size_; }

 private:
  std::string text_;
  std::size_t body_size_ = 0;
};

void exchange(const FileDescriptor& connection, std::string_view request, Reply& reply) {
  static std::array<char, 65536> chunk;
  if (::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("sending");
  reply.clear();
  while (!reply.is_whole()) {
    const ssize_t count = ::recv(connection.get(), chunk.data(), chunk.size(), 0);
    if (count < 0) fail("receiving");
    if (count == 0) throw std::runtime_error("the server has closed a connection in keep-alive");
    reply.append({chunk.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace

Scrapes scrape(const ScrapeTarget& target, const Pace& pace) {
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n" +
                              std::string(target.accepts_gzip ? "Accept-Encoding: gzip\r\n" : "") +
                              "\r\n";
  const FileDescriptor connection = connect_to(target.port);
  Reply reply;
  Scrapes scrapes;
  const auto start = Clock::now();
  for (auto due = start; due < start + pace.duration;) {
    std::this_thread::sleep_until(due);
    const auto begin = Clock::now();
    exchange(connection, request, reply);
    scrapes.durations.push_back(Clock::now() - begin);
    due = std::max(due + pace.interval, Clock::now());
  }
  scrapes.total = Clock::now() - start;
  scrapes.body_size = reply.body_size();
  return scrapes;
}

}  // namespace timewait::bench
