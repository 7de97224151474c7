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
  /// The flags outlive a reading that hangs. `first` is what the daemon starts with.
  ConfigurationReader(const CommandLine& flags, const Configuration& first);

  /// What it says now. If it has not been read after so long, or there is no memory or thread for
  /// it, that is the problem, and so is a file that has become blank: a full disk leaves such ones
  /// behind. While a reading hangs, no other one begins.
  Configuration read(std::chrono::milliseconds patience);

  /// Whether a reading hangs: then nothing that it uses may be destroyed.
  bool is_reading() const;

 private:
  void reject_what_became_blank(Configuration& configuration);

  const CommandLine& flags_;
  bool config_was_blank_;
  bool web_was_blank_;
  std::future<Configuration> reading_;
};

}  // namespace timewait
