#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/listen_address.h"
#include "daemon/log.h"

namespace timewait {

/// What the flags ask for. A value that is absent leaves the configuration file's or the default.
struct CommandLine {
  std::optional<std::filesystem::path> config_file;
  bool config_check = false;
  bool once = false;
  bool list_collectors = false;
  bool list_metrics = false;

  std::vector<config::ListenAddress> listen_addresses;
  std::optional<std::string> telemetry_path;
  bool systemd_socket = false;
  bool enable_lifecycle = false;  ///< POST /-/reload
  std::optional<std::filesystem::path> web_config_file;

  std::map<std::string, bool, std::less<>> collectors;  ///< --collector.NAME, --no-collector.NAME
  bool disable_default_collectors = false;

  std::filesystem::path procfs = "/proc";
  std::filesystem::path sysfs = "/sys";
  std::optional<std::filesystem::path> recording;  ///< a recorded host instead of the running one

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
};

/// Nothing further to do: help and version have been printed, or what is wrong with the flags.
struct ExitNow {
  int status = 0;
};

/// Reads the flags. Every registered collector has its pair of them.
std::variant<CommandLine, ExitNow> parse_command_line(int argc, const char* const* argv);

/// `timewait_exporter, version 0.1.0 (revision: …)` and the compiler, as node_exporter prints it.
std::string render_version();

}  // namespace timewait
