#include "daemon/clock.h"

#include <ctime>

namespace timewait {

SteadyTime SystemClock::now() const { return std::chrono::steady_clock::now(); }

double SystemClock::wall_seconds() const {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::chrono::nanoseconds SystemClock::thread_cpu() const {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace timewait
