#include "tests/bench/time_wait_sockets.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <future>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "tests/bench/time_wait_renewal.h"

namespace timewait::bench {

namespace {

constexpr std::chrono::seconds kTimeWaitLength{60};
constexpr std::chrono::seconds kLongestSteady{45};
constexpr std::chrono::seconds kPatience{240};
// Their ports lie below the ephemeral ones.
constexpr std::uint16_t kFirstListenerPort = 1;
constexpr std::uint32_t kFirstDestination = 0x7f000100;  // 127.0.1.0
constexpr std::size_t kMaxTuples = 8'000'000;
constexpr std::size_t kMaxSocketsOfTuple = 60'000;
// So many connections are open at a time.
constexpr std::size_t kBurst = 64;
constexpr std::size_t kBatch = 4096;
// Loopback answers at once; a segment that got lost would hold a socket up for a second.
constexpr timeval kTimeout{.tv_sec = 10, .tv_usec = 0};

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void check(int result, const char* what) {
  if (result < 0) fail(what);
}

const sockaddr* as_sockaddr(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

FileDescriptor open_socket() {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) fail("socket");
  return socket;
}

/// Its sockets, accepted ones included, give up waiting after kTimeout.
FileDescriptor open_listener(std::uint16_t port) {
  FileDescriptor socket = open_socket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  check(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof(kTimeout)),
        "SO_RCVTIMEO");
  check(::bind(socket.get(), as_sockaddr(address), sizeof(address)), "bind");
  check(::listen(socket.get(), static_cast<int>(kBurst)), "listen");
  return socket;
}

FileDescriptor open_connected(const sockaddr_in& remote) {
  FileDescriptor socket = open_socket();
  check(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof(kTimeout)),
        "SO_SNDTIMEO");
  check(::connect(socket.get(), as_sockaddr(remote), sizeof(remote)), "connect");
  return socket;
}

FileDescriptor accept_from(const FileDescriptor& listener) {
  FileDescriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.is_open()) fail("accept");
  return socket;
}

/// Closing before the peer's FIN is there would leave a second TIME-WAIT socket.
void close_after_peer(FileDescriptor& server) {
  char unused = 0;
  if (::recv(server.get(), &unused, sizeof(unused), 0) != 0) fail("waiting for the client's FIN");
  server = FileDescriptor();
}

}  // namespace

std::size_t count_time_wait() {
  std::ifstream file("/proc/net/sockstat");
  for (std::string word; file >> word;) {
    std::size_t count = 0;
    if (word == "tw" && file >> count) return count;
  }
  throw std::runtime_error("/proc/net/sockstat tells no tw");
}

Lane::Lane(std::uint16_t port) : listener_(open_listener(port)) {
  destination_.sin_family = AF_INET;
  destination_.sin_port = htons(port);
}

void Lane::spread_over(std::size_t tuples) {
  tuples_ = tuples;
  next_ = 0;
}

void Lane::make(std::size_t count) {
  for (; count > kBurst; count -= kBurst) make_burst(kBurst);
  make_burst(count);
}

void Lane::make_burst(std::size_t count) {
  std::vector<FileDescriptor> clients;
  std::vector<FileDescriptor> servers;
  for (; count > 0; --count) {
    destination_.sin_addr.s_addr = htonl(kFirstDestination + static_cast<std::uint32_t>(next_));
    next_ = (next_ + 1) % tuples_;
    clients.push_back(open_connected(destination_));
    servers.push_back(accept_from(listener_));
  }
  clients.clear();
  for (FileDescriptor& server : servers) close_after_peer(server);
}

TimeWaitSockets::TimeWaitSockets() {
  const std::size_t count = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
  for (std::size_t i = 0; i < count; ++i) {
    lanes_.emplace_back(static_cast<std::uint16_t>(kFirstListenerPort + i));
  }
}

void TimeWaitSockets::hold(const Population& wanted, std::chrono::seconds steady) {
  if (wanted.tuples == 0 || wanted.tuples > kMaxTuples ||
      wanted.sockets / wanted.tuples > kMaxSocketsOfTuple || steady > kLongestSteady) {
    throw std::invalid_argument("there cannot be so many sockets of so many tuples for so long");
  }
  spread_over(wanted.tuples);
  const auto deadline = Clock::now() + kPatience;
  while (true) {
    renew_unless_steady(steady);
    const std::size_t count = count_time_wait();
    if (count >= wanted.sockets) return;
    if (Clock::now() > deadline) throw std::runtime_error("too slow to make so many sockets");
    make(std::min(wanted.sockets - count, kBatch));
  }
}

void TimeWaitSockets::spread_over(std::size_t tuples) {
  if (tuples_ == tuples) return;
  if (tuples_ != 0) throw std::invalid_argument("other tuples need another namespace");
  tuples_ = tuples;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].spread_over(tuples / lanes_.size() + (i < tuples % lanes_.size() ? 1 : 0));
  }
}

void TimeWaitSockets::make(std::size_t count) {
  std::vector<std::future<void>> lanes;
  std::size_t left = count;
  for (Lane& lane : lanes_) {
    // A lane's share of the sockets is its share of the tuples.
    const std::size_t share = std::min(left, (count * lane.tuples() + tuples_ - 1) / tuples_);
    left -= share;
    lanes.push_back(std::async(std::launch::async, [&lane, share] { lane.make(share); }));
  }
  for (std::future<void>& lane : lanes) lane.get();
}

void TimeWaitSockets::renew_unless_steady(std::chrono::seconds steady) {
  const auto now = Clock::now();
  if (now + steady < renewed_ + kTimeWaitLength) return;
  renew_time_wait();
  renewed_ = now;
}

}  // namespace timewait::bench
