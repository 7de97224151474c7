#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "config/listen_address.h"
#include "config/value.h"

namespace timewait::config {

struct WebConfig {
  std::vector<ListenAddress> listen_addresses = {ListenAddress::any(kDefaultPort)};
  std::string telemetry_path = "/metrics";
  std::size_t max_connections = 512;
};

/// A collector's section as it stands in the file: this library knows no collector's name or
/// options.
struct CollectorSection {
  std::string name;
  Place place;
  Value options;  ///< a mapping, or null where the section is empty
};

/// The built-in defaults are the members' initialisers: no file is needed.
struct Config {
  std::chrono::milliseconds interval{15'000};
  WebConfig web;
  std::vector<CollectorSection> collectors;
};

inline constexpr std::chrono::milliseconds kMinInterval{10};
inline constexpr std::chrono::milliseconds kMaxInterval{std::chrono::hours{1}};

}  // namespace timewait::config
