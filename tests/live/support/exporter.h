#pragma once

#include <sys/types.h>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/file_descriptor.h"
#include "tests/support/exposition.h"

namespace timewait::test {

/// The program as a child in the namespace of the test. Killed at the end if it still runs.
class Exporter {
 public:
  explicit Exporter(const std::vector<std::string>& flags);
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;
  Exporter(Exporter&&) = delete;
  Exporter& operator=(Exporter&&) = delete;
  ~Exporter();

  pid_t pid() const { return pid_; }
  void send_signal(int signal) const;

  /// Its exit status; 128 and the signal's number if one ended it. Throws if it does not end.
  int wait();

  /// What it has written so far.
  std::string standard_output() const;
  std::string standard_error() const;

 private:
  FileDescriptor output_;
  FileDescriptor errors_;
  pid_t pid_ = -1;
  bool ended_ = false;
};

/// A configuration file that lasts as long as this object.
class ConfigFile {
 public:
  explicit ConfigFile(std::string_view yaml);
  /// For the programs that this process starts.
  std::string flag() const;

 private:
  FileDescriptor file_;
};

/// The metrics of `--once` with these collectors alone, and this configuration (YAML). Throws,
/// which fails the test, where the program exits with another status than 0.
Samples scrape(std::initializer_list<std::string_view> collectors, std::string_view config = "");

}  // namespace timewait::test
