#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "config/config.h"
#include "config/file.h"
#include "config/problem.h"
#include "config/value.h"
#include "daemon/command_line.h"

namespace timewait {

/// An enabled collector with its options read.
struct CollectorSettings {
  std::string_view name;
  std::chrono::milliseconds interval;
  std::optional<double> cpu_budget_ratio;  ///< of one core
  CollectorFactory make;
  config::Value options;  ///< what `make` goes by, as the file has it
};

/// What the daemon runs with: the configuration with the flags laid over it.
struct Settings {
  config::WebConfig web;
  std::vector<CollectorSettings> collectors;  ///< in registry order
};

/// Settings, or all that is wrong with them; with problems they are not to be used.
struct ResolvedSettings {
  Settings settings;
  config::Problems problems;
};

/// Reads the configuration file, if there is one, lets each collector read its own section and lays
/// the flags over it. Sections of disabled collectors are checked as well.
ResolvedSettings read_settings(const CommandLine& flags,
                               config::Occasion occasion = config::Occasion::kStart);

}  // namespace timewait
