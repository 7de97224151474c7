#include "daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

#include "collectors/parse/text.h"
#include "config/quote.h"
#include "daemon/environment.h"

namespace timewait {

namespace {

using Microseconds = std::optional<std::chrono::microseconds>;

tl::expected<Microseconds, std::string> read_watchdog(const char* const* environment) {
  const auto text = find_variable(environment, "WATCHDOG_USEC");
  if (!text) return std::nullopt;
  const auto pid = find_variable(environment, "WATCHDOG_PID");
  if (pid && parse::parse_number<int>(*pid) != ::getpid()) return std::nullopt;
  const auto microseconds = parse::parse_number<std::int64_t>(*text);
  if (!microseconds || *microseconds <= 0) {
    return tl::make_unexpected("WATCHDOG_USEC: expected a positive number, found " +
                               config::in_quotes(*text));
  }
  return std::chrono::microseconds(*microseconds);
}

/// Whoever receives is asked for no more than this of a thread's time.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};

}  // namespace

tl::expected<ServiceManager, std::string> ServiceManager::from_environment(
    const char* const* environment) {
  ServiceManager manager;
  const auto path = find_variable(environment, "NOTIFY_SOCKET");
  if (!path || path->empty()) return manager;
  const bool is_unix = path->starts_with('/') || path->starts_with('@');
  if (!is_unix || path->size() < 2 || path->size() >= sizeof(sockaddr_un::sun_path)) {
    return tl::make_unexpected("NOTIFY_SOCKET: expected the path of a Unix socket, found " +
                               config::in_quotes(*path));
  }
  auto watchdog = read_watchdog(environment);
  if (!watchdog) return tl::make_unexpected(watchdog.error());
  manager.socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!manager.socket_.is_open()) {
    return tl::make_unexpected("NOTIFY_SOCKET: " + std::generic_category().message(errno));
  }
  ::setsockopt(manager.socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  manager.path_ = *path;
  manager.watchdog_ = *watchdog;
  return manager;
}

void ServiceManager::notify_reloading() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds), Delivery::kWaitedFor);
}

void ServiceManager::notify_status(std::string_view line) const {
  send("STATUS=" + std::string(line), Delivery::kAtOnce);
}

void ServiceManager::send(std::string_view message, Delivery delivery) const {
  if (!socket_.is_open()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, path_.size());
  if (path_.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  // To the path each time: a manager that is restarted has a new socket there.
  const int flags = MSG_NOSIGNAL | (delivery == Delivery::kAtOnce ? MSG_DONTWAIT : 0);
  ::sendto(socket_.get(), message.data(), message.size(), flags,
           reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace timewait
