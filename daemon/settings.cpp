#include "daemon/settings.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "collectors/registry.h"
#include "config/load.h"
#include "config/option_reader.h"
#include "config/quote.h"

namespace timewait {

namespace {

const config::Value& find_section(const config::Config& config, std::string_view collector) {
  static const config::Value no_options;
  const auto found =
      std::ranges::find(config.collectors, collector, &config::CollectorSection::name);
  return found == config.collectors.end() ? no_options : found->options;
}

void reject_unknown_collectors(const config::Config& config, config::Problems& problems) {
  for (const config::CollectorSection& section : config.collectors) {
    if (find_collector(section.name) != nullptr) continue;
    std::string message =
        "collectors: unknown collector " + config::in_quotes(section.name) + "; known are";
    for (const CollectorEntry* entry : all_collectors()) {
      message.append(entry == all_collectors().front() ? " " : ", ").append(entry->name);
    }
    problems.push_back({section.place, std::move(message)});
  }
}

constexpr std::string_view kEnabled = "enabled";
constexpr std::string_view kInterval = "interval";
constexpr std::string_view kCpuBudgetRatio = "cpu_budget_ratio";

bool is_enabled(const CollectorEntry& entry, config::OptionReader& options,
                const CommandLine& flags) {
  const bool by_default = entry.enabled_by_default && !flags.disable_default_collectors;
  const bool configured = options.boolean(kEnabled, by_default);
  const auto flag = flags.collectors.find(entry.name);
  return flag == flags.collectors.end() ? configured : flag->second;
}

/// Without the keys that every collector has, which it does not see.
config::Value own_options(config::Value section) {
  if (auto* entries = std::get_if<config::Map>(&section.data)) {
    std::erase_if(*entries, [](const config::Entry& entry) {
      return entry.key == kEnabled || entry.key == kInterval || entry.key == kCpuBudgetRatio;
    });
  } else {
    section.data = config::Map{};
  }
  return section;
}

std::optional<double> read_cpu_budget_ratio(const CollectorEntry& entry,
                                            config::OptionReader& options) {
  if (!entry.default_cpu_budget_ratio) return std::nullopt;
  // With less the next poll would be hours away.
  constexpr double kLeast = 0.0001;
  return options.number(kCpuBudgetRatio, *entry.default_cpu_budget_ratio, kLeast, 1);
}

void read_collector(const CollectorEntry& entry, const config::Config& config,
                    const CommandLine& flags, ResolvedSettings& resolved) {
  const config::Value& section = find_section(config, entry.name);
  config::OptionReader options(section, "collectors." + std::string(entry.name), resolved.problems);
  const bool enabled = is_enabled(entry, options, flags);
  const auto interval =
      options.duration(kInterval, config.interval, config::kMinInterval, config::kMaxInterval);
  const auto cpu_budget_ratio = read_cpu_budget_ratio(entry, options);
  CollectorFactory make = entry.configure(options);
  options.reject_unknown();
  if (!enabled) return;
  resolved.settings.collectors.push_back(
      {entry.name, interval, cpu_budget_ratio, std::move(make), own_options(section)});
}

void apply_web_flags(const CommandLine& flags, config::WebConfig& web) {
  if (!flags.listen_addresses.empty()) web.listen_addresses = flags.listen_addresses;
  if (flags.telemetry_path) web.telemetry_path = *flags.telemetry_path;
}

}  // namespace

ResolvedSettings read_settings(const CommandLine& flags, config::Occasion occasion) {
  config::Loaded loaded =
      flags.config_file ? config::read_config(*flags.config_file, occasion) : config::Loaded{};
  ResolvedSettings resolved;
  resolved.problems = std::move(loaded.problems);
  resolved.settings.web = loaded.config.web;
  reject_unknown_collectors(loaded.config, resolved.problems);
  for (const CollectorEntry* entry : all_collectors()) {
    read_collector(*entry, loaded.config, flags, resolved);
  }
  apply_web_flags(flags, resolved.settings.web);
  if (resolved.problems.empty() && resolved.settings.collectors.empty()) {
    resolved.problems.push_back({{}, "no collector is enabled"});
  }
  config::sort_by_place(resolved.problems);
  return resolved;
}

}  // namespace timewait
