#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

/// Figures as people read them.
namespace timewait::status_page {

/// With thousands separators: `28,232`.
std::string format_count(std::uint64_t count);

/// Cut to one decimal, so that nothing but the whole is called `100 %`; `below 0.1 %` for more than
/// nothing.
std::string format_percent(double ratio);

/// How long ago: `just now`, `45 s ago`, `3 min ago`, `5 h ago`, `2 days ago`.
std::string format_age(std::chrono::duration<double> age);

/// `15 s`, or `1h30m` as the configuration has it where that is two minutes or more.
std::string format_duration(std::chrono::milliseconds duration);

/// In UTC, by the second.
std::string format_time(double seconds_since_1970);

/// Host and port, `192.0.2.20:80` or `[2001:db8::1]:443`.
std::string format_endpoint(std::string_view address, std::string_view port);

/// `1 port`, `2 ports`: the plural gets an s.
std::string format_number_of(std::uint64_t count, std::string_view singular);

}  // namespace timewait::status_page
