#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "daemon/poller.h"

namespace timewait {

/// Polls on a thread of its own, from now on until it is stopped. Where memory runs out in a poll,
/// the process ends with status 1. No call here waits longer than it says, even where a poll hangs
/// in the kernel.
class PollingThread {
 public:
  /// The poller outlives the thread, and is the thread's alone until `stop`.
  explicit PollingThread(Poller& poller);

  /// Runs the task on that thread, between two polls. False if no poll has ended for so long: then
  /// the task is not run, now or later. A task that has begun by then is not waited for any more.
  bool call(std::function<void()> task, std::chrono::milliseconds patience);

  /// False if a poll has not ended for so long: then nothing that it uses may be destroyed.
  bool stop(std::chrono::milliseconds patience);

 private:
  Poller& poller_;
  std::promise<void> ended_;
  std::jthread thread_;
};

}  // namespace timewait
