#include "daemon/signals.h"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace timewait {

namespace {

sigset_t make_set(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

void block(std::initializer_list<int> signals) {
  const sigset_t set = make_set(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

std::string_view to_string(Signal signal) {
  switch (signal) {
    case Signal::kHangUp:
      return "SIGHUP";
    case Signal::kInterrupt:
      return "SIGINT";
    case Signal::kTerminate:
      return "SIGTERM";
  }
  return "unknown";
}

void block_reload_signal() { block({SIGHUP}); }

void block_stop_signals() {
  block({SIGTERM, SIGINT});
  std::signal(SIGPIPE, SIG_IGN);
}

Signal wait_for_signal() {
  const sigset_t all = make_set({SIGTERM, SIGINT, SIGHUP});
  const sigset_t stop = make_set({SIGTERM, SIGINT});
  int received = 0;
  sigwait(&all, &received);
  if (received == SIGHUP) {
    constexpr timespec kNoTime{};
    received = sigtimedwait(&stop, nullptr, &kNoTime);
    if (received < 0) return Signal::kHangUp;
  }
  return received == SIGINT ? Signal::kInterrupt : Signal::kTerminate;
}

}  // namespace timewait
