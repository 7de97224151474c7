#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace timewait {

/// The current one of a series of immutable objects, shared between who makes them and who reads
/// them. Thread-safe. A mutex rather than std::atomic<std::shared_ptr>: libstdc++ 12's has a data
/// race of its own under ThreadSanitizer.
template <class Object>
class Published {
 public:
  explicit Published(std::shared_ptr<const Object> first = nullptr) : current_(std::move(first)) {}

  void publish(std::shared_ptr<const Object> next) {
    const std::scoped_lock lock(mutex_);
    current_ = std::move(next);
  }

  /// What was published last; before that, what it was made with.
  std::shared_ptr<const Object> current() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Object> current_;
};

}  // namespace timewait
