#pragma once

#include <chrono>
#include <cstdint>

#include "collectors/model/socket.h"

namespace timewait {

/// When connect() may take over a TIME-WAIT socket of the same quadruplet, as far as a dump can
/// tell: net/ipv4/tcp_ipv4.c, tcp_twsk_unique().
///
/// What a dump does not tell is whether the connection had negotiated timestamps; without them the
/// kernel never takes the socket over. This says `is_reusable` as if it had.
class TimeWaitReuse {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Scope : std::uint8_t {
    kNone,          ///< tcp_tw_reuse 0, or tcp_timestamps 0
    kLoopbackOnly,  ///< 2
    kEverywhere,    ///< 1
  };

  /// Since 6.14 the socket must be older than tcp_tw_reuse_delay; before, the clock must have
  /// reached another whole second.
  struct Age {
    bool in_whole_seconds = true;
    std::chrono::milliseconds delay{};
  };

  TimeWaitReuse() = default;
  TimeWaitReuse(Scope scope, Age age, Time now)
      : scope_(scope), age_(age), now_(now.time_since_epoch()) {}

  /// `socket` in any state. FIN-WAIT-2 minisocks are never taken over (before 6.1 some kernels did,
  /// which counts as not: the cautious answer).
  bool is_reusable(const Socket& socket) const {
    if (scope_ == Scope::kNone || socket.state != TcpState::kTimeWait || !socket.is_minisock) {
      return false;
    }
    if (scope_ == Scope::kLoopbackOnly && !is_loopback(socket)) return false;
    return is_old_enough(Signed(kTimeWaitLength) - socket.expires_in);
  }

 private:
  using Signed = std::chrono::duration<std::int64_t, std::milli>;

  static constexpr std::uint32_t kLoopbackDevice = 1;  // LOOPBACK_IFINDEX

  static bool is_loopback(const Socket& socket) {
    return socket.device == kLoopbackDevice || socket.local.is_loopback() ||
           socket.remote.is_loopback();
  }

  bool is_old_enough(Signed age) const {
    if (!age_.in_whole_seconds) return age > age_.delay;
    using Seconds = std::chrono::seconds;
    return std::chrono::floor<Seconds>(now_) > std::chrono::floor<Seconds>(now_ - age);
  }

  Scope scope_ = Scope::kNone;
  Age age_;
  Time::duration now_{};  ///< CLOCK_MONOTONIC, which is ktime_get() in the kernel
};

}  // namespace timewait
