#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/read_sockets.h"
#include "daemon/kernel/live_kernel.h"
#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/network_namespace.h"
#include "tests/support/seed.h"

// The same sockets by netlink in one walk, by netlink family by family and by /proc/net/tcp{,6}.

namespace timewait::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Between the clock's reading and the kernel's answer; procfs counts in ticks of 10 ms.
constexpr std::chrono::milliseconds kExpiryTolerance{2000};

struct SeenSocket {
  std::string description;
  SteadyClock::time_point expires_at;  ///< of a minisock
};

std::string describe(const Socket& socket) {
  const auto* const state = std::ranges::find(kTcpStates, socket.state, &NamedTcpState::state);
  return to_string(socket.local) + " " + std::to_string(socket.local_port) + " > " +
         to_string(socket.remote) + " " + std::to_string(socket.remote_port) + " " +
         std::string(state->name) + (socket.is_minisock ? " minisock" : "");
}

enum class BoundInactive : std::uint8_t { kLeaveOut, kInclude };

std::vector<SeenSocket> read_all(SocketSource source,
                                 BoundInactive bound_inactive = BoundInactive::kLeaveOut) {
  LiveKernel kernel("/proc", "/sys");
  std::vector<SeenSocket> sockets;
  const auto start = SteadyClock::now();
  const auto read = read_sockets(
      kernel, source, {.bound_inactive = bound_inactive == BoundInactive::kInclude},
      [&](const Socket& socket) {
        const auto expires_at =
            socket.is_minisock ? start + socket.expires_in : SteadyClock::time_point{};
        sockets.push_back({describe(socket), expires_at});
      },
      [](const Socket&) {});
  if (!read) throw std::runtime_error(read.error().text());
  std::ranges::sort(sockets, {}, [](const SeenSocket& socket) {
    return std::tie(socket.description, socket.expires_at);
  });
  return sockets;
}

std::vector<std::string> descriptions(const std::vector<SeenSocket>& sockets) {
  std::vector<std::string> texts;
  texts.reserve(sockets.size());
  for (const SeenSocket& socket : sockets) texts.push_back(socket.description);
  return texts;
}

void expect_same(const std::vector<SeenSocket>& found, const std::vector<SeenSocket>& expected) {
  ASSERT_EQ(descriptions(found), descriptions(expected));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto apart = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::abs(found[i].expires_at - expected[i].expires_at));
    EXPECT_LE(apart, kExpiryTolerance)
        << found[i].description << ": the two sources' expiry is " << apart.count() << " ms apart";
  }
}

/// What can become of a connection, and the states that its ends are in then.
struct Ending {
  void (*bring_about)(Connection&);
  std::vector<KernelState> states;
};

const std::vector<Ending>& endings() {
  using enum KernelState;
  static const std::vector<Ending> all{
      {[](Connection&) {}, {kEstablished, kEstablished}},
      {close_client_first, {kTimeWait}},
      {close_server_first, {kTimeWait}},
      {half_close, {kFinWait2, kCloseWait}},
      {orphan_half_closed, {kFinWait2, kCloseWait}},
      {hold_in_fin_wait1, {kFinWait1, kEstablished}},
      {hold_in_last_ack, {kFinWait2, kLastAck}},
      {hold_in_closing, {kClosing, kFinWait2}},
  };
  return all;
}

/// Services in each addressing and sockets in random states around them.
class RandomMix {
 public:
  RandomMix(unsigned seed, std::size_t count) : random_(seed) {
    for (const Addressing& addressing : every_addressing()) add_services(addressing);
    while (count-- > 0) add();
    for (const auto& [state, expected] : expected_) wait_for_count(state, expected);
  }

 private:
  template <class T>
  const T& any_of(const std::vector<T>& choices) {
    return choices[random_() % choices.size()];
  }

  void expect(const std::vector<KernelState>& states) {
    for (const KernelState state : states) ++expected_[state];
  }

  void add_services(const Addressing& addressing) {
    using enum KernelState;
    services_.emplace_back(addressing);
    deferring_.emplace_back(addressing, ListenOptions{.defers_accept = true});
    full_.emplace_back(addressing, ListenOptions{.backlog = 0});
    sockets_.push_back(fill_accept_queue(full_.back()));
    sockets_.push_back(open_bound({addressing.connect_address, 0}));
    expect({kListen, kListen, kListen, kEstablished, kEstablished});
  }

  void add() {
    using enum KernelState;
    const auto choice = random_() % 8;
    if (choice == 0) {
      sockets_.push_back(open_connected(any_of(deferring_).endpoint()));
      expect({kEstablished, kSynRecv});
    } else if (choice == 1) {
      sockets_.push_back(begin_connect(any_of(full_).endpoint()));
      expect({kSynSent});
    } else {
      const Ending& ending = any_of(endings());
      connections_.push_back(any_of(services_).connect());
      ending.bring_about(connections_.back());
      expect(ending.states);
    }
  }

  std::mt19937 random_;
  std::vector<Service> services_;
  std::vector<Service> deferring_;
  std::vector<Service> full_;
  std::vector<FileDescriptor> sockets_;
  std::vector<Connection> connections_;
  std::map<KernelState, std::size_t> expected_;
};

class SocketSources : public NetworkNamespaceTest {};

TEST_F(SocketSources, GiveTheSameSocketsForARandomMix) {
  const RandomMix mix(choose_seed(), 120);
  const auto expected = read_all(SocketSource::kBothFamilies);
  EXPECT_GT(expected.size(), 120U);
  expect_same(read_all(SocketSource::kByFamily), expected);
  expect_same(read_all(SocketSource::kProcNetTcp), expected);
  expect_same(read_all(SocketSource::kBothFamilies), expected);
}

TEST_F(SocketSources, GiveTheSameBoundInactiveSocketsByBothNetlinkRequests) {
  if (!kernel_reports_bound_inactive()) GTEST_SKIP() << "this kernel does not report them";
  const RandomMix mix(choose_seed(), 20);
  const auto expected = read_all(SocketSource::kBothFamilies, BoundInactive::kInclude);
  EXPECT_EQ(expected.size(), read_all(SocketSource::kBothFamilies).size() + 3);
  expect_same(read_all(SocketSource::kByFamily, BoundInactive::kInclude), expected);
}

}  // namespace
}  // namespace timewait::test
