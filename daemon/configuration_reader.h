#pragma once

#include <chrono>
#include <future>

#include "daemon/command_line.h"
#include "daemon/configuration.h"

namespace timewait {

/// Reads the configuration again while the daemon runs, on a thread of its own: files may lie where
/// a file system hangs, or be so that memory runs out. For one thread.
class ConfigurationReader {
 public:
  /// The flags outlive a reading that hangs.
  explicit ConfigurationReader(const CommandLine& flags) : flags_(flags) {}

  /// What it says now. If it has not been read after so long, or there is no memory or thread for
  /// it, that is the problem. While a reading hangs, no other one begins.
  Configuration read(std::chrono::milliseconds patience);

  /// Whether a reading hangs: then nothing that it uses may be destroyed.
  bool is_reading() const;

 private:
  const CommandLine& flags_;
  std::future<Configuration> reading_;
};

}  // namespace timewait
