#include "daemon/command_line.h"

#include <cstddef>
#include <iostream>
#include <span>

#include <CLI/CLI.hpp>

#include "collectors/registry.h"
#include "config/load.h"
#include "config/quote.h"
#include "daemon/version.h"

namespace timewait {

namespace {

constexpr int kUsageError = 2;

constexpr std::string_view kDescription =
    "Prometheus exporter for TCP TIME-WAIT and port exhaustion on Linux.";

/// Turns a flag's text into a value by `parse`, which gives nothing for a wrong one.
template <class Value, class Parse>
CLI::callback_t into(Value& value, Parse parse, std::string flag, std::string expected) {
  return [&value, parse, flag = std::move(flag),
          expected = std::move(expected)](const CLI::results_t& texts) {
    for (const std::string& text : texts) {
      const auto parsed = parse(text);
      if (!parsed) {
        throw CLI::ValidationError(flag,
                                   "expected " + expected + ", found " + config::in_quotes(text));
      }
      value = *parsed;
    }
    return true;
  };
}

std::optional<std::string> parse_telemetry_path(const std::string& text) {
  if (!config::is_telemetry_path(text)) return std::nullopt;
  return text;
}

void add_listen_address(CLI::App& app, CommandLine& flags) {
  app.add_option(
         "--web.listen-address",
         [&flags](const CLI::results_t& texts) {
           for (const std::string& text : texts) {
             const auto address = config::parse_listen_address(text);
             if (!address) throw CLI::ValidationError("--web.listen-address", address.error());
             flags.listen_addresses.push_back(*address);
           }
           return true;
         },
         "Where to listen, repeatable (default :10060)")
      ->type_name("ADDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_web(CLI::App& app, CommandLine& flags) {
  add_listen_address(app, flags);
  app.add_option("--web.telemetry-path",
                 into(flags.telemetry_path, parse_telemetry_path, "--web.telemetry-path",
                      "a path such as /metrics"),
                 "Path of the metrics")
      ->type_name("PATH");
  app.add_flag("--web.systemd-socket", flags.systemd_socket,
               "Take the listening sockets from systemd");
  app.add_flag("--web.enable-lifecycle", flags.enable_lifecycle,
               "Let POST /-/reload read the configuration again, as SIGHUP does");
  app.add_option("--web.config.file", flags.web_config_file,
                 "TLS, passwords and headers (exporter-toolkit's YAML)")
      ->type_name("FILE");
}

void add_general(CLI::App& app, CommandLine& flags) {
  app.add_option("--config.file", flags.config_file, "Configuration file (YAML)")
      ->type_name("FILE");
  app.add_flag("--config.check", flags.config_check, "Check the configuration and exit");
  app.add_flag("--once", flags.once, "Poll once, print the metrics and exit");
  app.add_flag("--list-collectors", flags.list_collectors, "List the collectors and exit");
  app.add_flag("--list-metrics", flags.list_metrics, "List every metric and exit");
  app.set_version_flag("--version", render_version());
}

void add_collectors(CLI::App& app, CommandLine& flags) {
  for (const CollectorEntry* entry : all_collectors()) {
    const std::string name(entry->name);
    app.add_flag_callback(
           "--collector." + name, [&flags, name] { flags.collectors[name] = true; },
           "Switch the collector on")
        ->disable_flag_override();
    app.add_flag_callback(
           "--no-collector." + name, [&flags, name] { flags.collectors[name] = false; },
           "Switch it off")
        ->disable_flag_override();
  }
  app.add_flag("--collector.disable-defaults", flags.disable_default_collectors,
               "Only collectors that are switched on by name");
}

void add_paths(CLI::App& app, CommandLine& flags) {
  app.add_option("--path.procfs", flags.procfs, "Where procfs is mounted")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--path.sysfs", flags.sysfs, "Where sysfs is mounted")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--path.recording", flags.recording, "Read a recorded host, not the kernel")
      ->type_name("DIR");
}

void add_log(CLI::App& app, CommandLine& flags) {
  app.add_option(
         "--log.level",
         into(flags.log_level, parse_log_level, "--log.level", "debug, info, warn or error"),
         "debug, info, warn or error")
      ->type_name("LEVEL")
      ->default_str("info");
  app.add_option("--log.format",
                 into(flags.log_format, parse_log_format, "--log.format", "logfmt or json"),
                 "logfmt or json")
      ->type_name("FORMAT")
      ->default_str("logfmt");
}

/// CLI11 takes the argument behind `--flag=` for the flag's value.
void reject_empty_values(std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      throw CLI::ValidationError(std::string(argument), "expected a value, found none");
    }
  }
}

}  // namespace

std::string render_version() {
  return "timewait_exporter, version " + std::string(kVersion) +
         " (revision: " + std::string(kRevision) + ")\n  compiler: " + std::string(kCompiler);
}

std::variant<CommandLine, ExitNow> parse_command_line(int argc, const char* const* argv) {
  CommandLine flags;
  CLI::App app{std::string(kDescription), "timewait_exporter"};
  app.get_formatter()->column_width(34);
  add_general(app, flags);
  add_web(app, flags);
  add_collectors(app, flags);
  add_paths(app, flags);
  add_log(app, flags);
  try {
    reject_empty_values({argv, static_cast<std::size_t>(argc)});
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come as "errors" with status 0.
    const int status = app.exit(error, std::cout, std::cerr);
    return ExitNow{status == 0 ? 0 : kUsageError};
  }
  return flags;
}

}  // namespace timewait
