#pragma once

#include <filesystem>
#include <string_view>

#include "config/config.h"
#include "config/problem.h"

namespace timewait::config {

/// What a configuration text says, and everything that is wrong with it. With problems the
/// configuration is only as good as its defaults and is not to be used.
struct Loaded {
  Config config;
  Problems problems;
};

/// Reads YAML text. Unknown and duplicate keys, wrong types and values out of bounds are problems, all
/// gathered. Collector sections are taken over unread. Never throws, whatever the text.
Loaded parse_config(std::string_view text);

/// The same for a file; one that cannot be read, or is no regular file or pipe, is a problem.
Loaded read_config(const std::filesystem::path& file);

}  // namespace timewait::config
