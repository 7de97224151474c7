#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/command_line.h"
#include "daemon/http/web_config_file.h"
#include "daemon/settings.h"

namespace timewait {

/// All that the flags and the files which they name say.
struct Configuration {
  Settings settings;
  std::optional<LoadedWebSettings> web;  ///< where there is a web configuration file
  /// What is wrong, a line for each problem of each file, `file:line:column: message`. With
  /// problems the rest is not to be used.
  std::vector<std::string> problems;
};

/// Reads the configuration file, and the web configuration file with its certificates.
Configuration read_configuration(const CommandLine& flags, config::Occasion occasion);

}  // namespace timewait
