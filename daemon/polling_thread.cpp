#include "daemon/polling_thread.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stop_token>
#include <utility>

namespace timewait {

namespace {

struct Call {
  std::function<void()> task;
  std::atomic<bool> is_decided = false;  ///< it has begun, or nobody waits for it any more
  std::promise<void> done;
};

/// Without memory there are no figures to go on with, and none to log with: whoever starts the
/// daemon again gets a line and a status.
void run_or_exit(Poller& poller, const std::stop_token& stop) {
  try {
    poller.run(stop);
  } catch (const std::exception& error) {
    std::fputs("timewait_exporter: polling failed: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    std::_Exit(EXIT_FAILURE);
  }
}

}  // namespace

PollingThread::PollingThread(Poller& poller)
    : poller_(poller), thread_([this](const std::stop_token& stop) {
        run_or_exit(poller_, stop);
        ended_.set_value();
      }) {}

bool PollingThread::call(std::function<void()> task, std::chrono::milliseconds patience) {
  const auto call = std::make_shared<Call>();
  call->task = std::move(task);
  poller_.post([call] {
    if (call->is_decided.exchange(true)) return;
    call->task();
    call->done.set_value();
  });
  if (call->done.get_future().wait_for(patience) == std::future_status::ready) return true;
  return call->is_decided.exchange(true);
}

bool PollingThread::stop(std::chrono::milliseconds patience) {
  thread_.request_stop();
  return ended_.get_future().wait_for(patience) == std::future_status::ready;
}

}  // namespace timewait
