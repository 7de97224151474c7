#include "config/load.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/file.h"
#include "config/listen_address.h"
#include "config/option_reader.h"
#include "config/quote.h"
#include "config/value.h"
#include "config/yaml.h"

namespace timewait::config {

namespace {

constexpr std::string_view kListenAddressesKey = "listen_addresses";
constexpr std::string_view kTelemetryPathKey = "telemetry_path";

std::vector<ListenAddress> read_listen_addresses(OptionReader& web,
                                                 const std::vector<ListenAddress>& fallback) {
  std::vector<std::string> texts;
  texts.reserve(fallback.size());
  for (const ListenAddress& address : fallback) texts.push_back(to_string(address));
  texts = web.list(kListenAddressesKey, std::move(texts));
  if (texts.empty()) {
    web.reject(kListenAddressesKey, "expected at least one address, found an empty list");
  }

  std::vector<ListenAddress> addresses;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto address = parse_listen_address(texts[i]);
    if (!address) {
      web.reject_item(kListenAddressesKey, i, address.error());
    } else if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
      web.reject_item(kListenAddressesKey, i, "duplicate address " + in_quotes(texts[i]));
    } else {
      addresses.push_back(*std::move(address));
    }
  }
  return addresses;
}

WebConfig read_web(const Value& section, Problems& problems) {
  WebConfig config;
  OptionReader web(section, "web", problems);
  config.listen_addresses = read_listen_addresses(web, config.listen_addresses);
  config.telemetry_path = web.text(kTelemetryPathKey, config.telemetry_path);
  if (!is_telemetry_path(config.telemetry_path)) {
    web.reject(
        kTelemetryPathKey,
        "expected a path such as /metrics (not /, nothing below /-/, no ?, # or space), found " +
            in_quotes(config.telemetry_path));
  }
  config.max_connections = static_cast<std::size_t>(
      web.integer("max_connections", static_cast<std::int64_t>(config.max_connections), 1, 65536));
  web.reject_unknown();
  return config;
}

std::vector<CollectorSection> read_collectors(const Map& entries, Problems& problems) {
  std::vector<CollectorSection> collectors;
  for (const Entry& entry : entries) {
    // The reader's constructor reports what is no mapping; it is not to be reported twice.
    const OptionReader checked(entry.value, "collectors." + entry.key, problems);
    const bool is_map = std::holds_alternative<Map>(entry.value.data);
    collectors.push_back({entry.key, entry.place, is_map ? entry.value : Value{entry.place, {}}});
  }
  return collectors;
}

Config read_root(const Value& root, Problems& problems) {
  Config config;
  OptionReader reader(root, {}, problems);
  config.interval = reader.duration("interval", config.interval, kMinInterval, kMaxInterval);
  config.web = read_web(reader.section("web"), problems);
  config.collectors = read_collectors(reader.entries("collectors"), problems);
  reader.reject_unknown();
  return config;
}

}  // namespace

bool is_telemetry_path(std::string_view path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '%';
  });
  return plain && path.starts_with('/') && path != "/" && !path.starts_with("//") &&
         !path.starts_with("/-/");
}

Loaded parse_config(std::string_view text) {
  Loaded loaded;
  const Value root = parse_yaml(text, loaded.problems);
  loaded.config = read_root(root, loaded.problems);
  sort_by_place(loaded.problems);
  return loaded;
}

Loaded read_config(const std::filesystem::path& file, Occasion occasion) {
  const bool is_start = occasion == Occasion::kStart;
  const auto text = read_file(file, is_start ? Pipes::kAllowed : Pipes::kRefused);
  if (!text) return {{}, {{{}, text.error()}}};
  if (text->empty() && !is_start) return {{}, {{{}, empty_at_reload()}}};
  return parse_config(*text);
}

}  // namespace timewait::config
