#pragma once

#include <optional>
#include <string_view>

namespace timewait {

/// The value of a variable in an environment as `environ` is one: `NAME=value`, a null pointer ends
/// it.
inline std::optional<std::string_view> find_variable(const char* const* environment,
                                                     std::string_view name) {
  for (; *environment != nullptr; ++environment) {
    std::string_view entry = *environment;
    if (!entry.starts_with(name)) continue;
    entry.remove_prefix(name.size());
    if (entry.starts_with('=')) return entry.substr(1);
  }
  return std::nullopt;
}

}  // namespace timewait
