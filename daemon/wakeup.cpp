#include "daemon/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <thread>
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
  at_most = std::max(at_most, std::chrono::nanoseconds{});
  const timespec timeout = to_timespec(at_most);
  const int ready = ::ppoll(polled.data(), polled.size(), &timeout, nullptr);
  if (ready > 0 && polled.front().revents == 0) return Cause::kReadable;
  if (ready > 0) {
    eventfd_t ignored = 0;
    ::eventfd_read(interrupts_.get(), &ignored);
    return Cause::kInterrupt;
  }
  // A signal ends the sleep early, which costs the caller a look at the clock. Where there is no
  // memory to sleep with, or more descriptors than a new limit allows, that would cost it a core.
  constexpr std::chrono::nanoseconds kPatience{std::chrono::milliseconds(100)};
  if (ready < 0 && errno != EINTR) std::this_thread::sleep_for(std::min(at_most, kPatience));
  return Cause::kTime;
}

void Wakeup::interrupt() const { ::eventfd_write(interrupts_.get(), 1); }

}  // namespace timewait
