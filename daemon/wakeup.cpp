#include "daemon/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <vector>

namespace timewait {

namespace {

timespec to_timespec(std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  return {.tv_sec = whole.count(), .tv_nsec = (duration - whole).count()};
}

}  // namespace

Wakeup::Wakeup() : interrupts_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!interrupts_.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Wakeup::Cause Wakeup::wait(std::chrono::nanoseconds at_most,
                           std::span<const int> descriptors) const {
  std::vector<pollfd> polled{{interrupts_.get(), POLLIN, 0}};
  for (const int descriptor : descriptors) polled.push_back({descriptor, POLLIN, 0});
  const timespec timeout = to_timespec(std::max(at_most, std::chrono::nanoseconds{}));
  // A signal ends the sleep early, which costs the caller a look at the clock.
  if (::ppoll(polled.data(), polled.size(), &timeout, nullptr) <= 0) return Cause::kTime;
  return polled.front().revents != 0 ? Cause::kInterrupt : Cause::kReadable;
}

void Wakeup::interrupt() const { ::eventfd_write(interrupts_.get(), 1); }

}  // namespace timewait
