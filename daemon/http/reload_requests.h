#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/http/responder.h"

namespace timewait {

/// Clients that have asked for a reload and wait for what comes of it. Thread-safe.
class ReloadRequests {
 public:
  /// `wake` is called for each request, on the thread of the server, so that somebody answers it.
  explicit ReloadRequests(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Too many at a time, and any after close(), get 503.
  void add(Responder respond);

  /// Those that wait.
  std::vector<Responder> take();

  /// Before the server ends: nobody will be answered any more.
  void close();

 private:
  static constexpr std::size_t kMost = 16;

  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<Responder> waiting_;
  bool is_closed_ = false;
};

/// Gives each of them 200, or 500 with a line for each thing that is wrong.
void answer_all(std::vector<Responder> waiting, const std::vector<std::string>& problems);

}  // namespace timewait
