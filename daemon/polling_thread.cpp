#include "daemon/polling_thread.h"

#include <atomic>
#include <memory>
#include <stop_token>
#include <utility>

#include "daemon/run_or_exit.h"

namespace timewait {

namespace {

struct Call {
  std::function<void()> task;
  std::atomic<bool> is_decided = false;  ///< it has begun, or nobody waits for it any more
  std::promise<void> done;
};

}  // namespace

PollingThread::PollingThread(Poller& poller)
    : poller_(poller), thread_([this](const std::stop_token& stop) {
        run_or_exit("polling", [&] { poller_.run(stop); });
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
