#pragma once

#include <filesystem>
#include <string_view>

#include "config/config.h"
#include "config/file.h"
#include "config/problem.h"

namespace timewait::config {

/// What a configuration text says, and everything that is wrong with it. With problems the
/// configuration is only as good as its defaults and is not to be used.
struct Loaded {
  Config config;
  Problems problems;
};

/// Reads the text as parse_yaml() does. What that cannot read is one problem; else unknown and
/// duplicate keys, wrong types and values out of bounds are all gathered, in the order of the file.
/// Collector sections are taken over unread. Never throws, whatever the text.
Loaded parse_config(std::string_view text);

/// The same for a file; one that cannot be read is a problem. At the start it may be a pipe; at a
/// reload it is a regular file that is not empty.
Loaded read_config(const std::filesystem::path& file, Occasion occasion);

/// True for a path that the metrics may have: absolute, in printable ASCII without query,
/// fragment and escapes, and none of the exporter's own pages (`/` and what begins with `/-/`)
/// nor another host's (`//host`).
bool is_telemetry_path(std::string_view path);

}  // namespace timewait::config
