#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "daemon/file_descriptor.h"

namespace timewait {

/// Lets a thread sleep until time has passed, a descriptor is readable or another thread
/// interrupts.
class Wakeup {
 public:
  enum class Cause : std::uint8_t { kTime, kReadable, kInterrupt };

  /// Throws std::system_error where the process has no descriptor left.
  Wakeup();

  /// Sleeps. An interrupt that came before, or comes meanwhile, ends one sleep at once, and so do
  /// several.
  Cause wait(std::chrono::nanoseconds at_most, std::span<const int> descriptors) const;

  /// From any thread.
  void interrupt() const;

 private:
  FileDescriptor interrupts_;
};

}  // namespace timewait
