#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace timewait::config {

/// Reads a duration as Prometheus writes it: whole numbers with the units ms, s, m, h, d in falling
/// order, e.g. `15s`, `1m30s`, `500ms`. Nothing on anything else, or where it overflows.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The same form, e.g. `1m30s`; `0s` for zero.
std::string to_string(std::chrono::milliseconds duration);

}  // namespace timewait::config
