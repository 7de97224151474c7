#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace timewait::test {

/// Far more than the kernel needs; a loaded machine may be slow.
inline constexpr std::chrono::milliseconds kPatience{10'000};

/// Asks until `condition()` holds. Throws, which fails the test, if it does not within `patience`;
/// `what` says what was waited for.
template <class Condition>
void wait_until(const std::string& what, Condition condition,
                std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("waited " + std::to_string(patience.count()) + " ms in vain for " +
                               what);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace timewait::test
