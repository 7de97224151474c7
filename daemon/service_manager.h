#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/file_descriptor.h"

namespace timewait {

/// The service manager that has started the process, told of what it does as sd_notify(3) has it:
/// datagrams of `NAME=value` lines to the Unix socket that NOTIFY_SOCKET names. Without one,
/// everything here does nothing. Thread-safe.
///
/// Nothing is told of a message that cannot be delivered: whoever waits for it will act upon that.
/// Where the receiver's queue is full, the start, a reload and the end are waited for, each up to a
/// second; the others are dropped.
class ServiceManager {
 public:
  /// None.
  ServiceManager() = default;

  /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from `environment`, as `environ`. The
  /// error, in one line: a value of theirs that cannot be used.
  static tl::expected<ServiceManager, std::string> from_environment(const char* const* environment);

  /// The start or a reload is done.
  void notify_ready() const { send("READY=1", Delivery::kWaitedFor); }
  /// A reload begins; notify_ready() ends it, whatever came of it.
  void notify_reloading() const;
  void notify_stopping() const { send("STOPPING=1", Delivery::kWaitedFor); }
  /// How the service fares, for `systemctl status`: one line.
  void notify_status(std::string_view line) const;
  /// It still does what it is there for.
  void notify_alive() const { send("WATCHDOG=1", Delivery::kAtOnce); }

  /// The service is killed when notify_alive() stays away for so long; absent: never.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  enum class Delivery : std::uint8_t { kWaitedFor, kAtOnce };

  void send(std::string_view message, Delivery delivery) const;

  FileDescriptor socket_;
  std::string path_;  ///< as NOTIFY_SOCKET has it: an `@` first is for the abstract namespace
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace timewait
