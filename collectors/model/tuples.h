#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collectors/model/address.h"
#include "collectors/model/hash.h"
#include "collectors/model/socket.h"

namespace timewait {

/// A quadruplet without the port that connect() chooses.
struct ConnectTuple {
  Address local;
  Address remote;
  std::uint16_t remote_port = 0;

  std::uint64_t hash() const { return KeyedHash().add(local).add(remote).add(remote_port).value(); }
  friend bool operator==(const ConnectTuple&, const ConnectTuple&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 stumbles over a defaulted <=>.
  friend auto operator<=>(const ConnectTuple&, const ConnectTuple&) = default;
};

/// A quadruplet without the port that the remote host chose.
struct ServerTuple {
  Address local;
  Address remote;
  std::uint16_t local_port = 0;

  std::uint64_t hash() const { return KeyedHash().add(local).add(remote).add(local_port).value(); }
  friend bool operator==(const ServerTuple&, const ServerTuple&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 stumbles over a defaulted <=>.
  friend auto operator<=>(const ServerTuple&, const ServerTuple&) = default;
};

/// Sockets of a tuple by the states that the families of tuples tell apart.
class TupleStates {
 public:
  static constexpr std::array<std::string_view, 6> kNames{"time_wait", "fin_wait2",  "established",
                                                          "syn_sent",  "close_wait", "other"};

  void add(TcpState state) { ++counts_[index(state)]; }

  /// In the order of kNames.
  const std::array<std::uint32_t, kNames.size()>& counts() const { return counts_; }

  std::uint64_t sum() const {
    std::uint64_t sum = 0;
    for (const std::uint32_t count : counts_) sum += count;
    return sum;
  }

 private:
  static constexpr std::size_t index(TcpState state) {
    switch (state) {
      case TcpState::kTimeWait:
        return 0;
      case TcpState::kFinWait2:
        return 1;
      case TcpState::kEstablished:
        return 2;
      case TcpState::kSynSent:
        return 3;
      case TcpState::kCloseWait:
        return 4;
      default:
        return 5;
    }
  }

  std::array<std::uint32_t, kNames.size()> counts_{};
};

}  // namespace timewait
