#include "daemon/status_page/words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "config/duration.h"

namespace timewait::status_page {

std::string format_count(std::uint64_t count) {
  constexpr std::size_t kGroup = 3;
  std::string text = std::to_string(count);
  for (std::size_t end = text.size(); end > kGroup; end -= kGroup)
    text.insert(end - kGroup, 1, ',');
  return text;
}

std::string format_percent(double ratio) {
  constexpr double kSteps = 1'000;
  if (ratio <= 0) return "0 %";
  const auto steps = static_cast<std::uint64_t>(std::min(ratio, 1.0) * kSteps);
  if (steps == 0) return "below 0.1 %";
  const std::string whole = std::to_string(steps / 10);
  const std::uint64_t tenths = steps % 10;
  return (tenths == 0 ? whole : whole + "." + std::to_string(tenths)) + " %";
}

std::string format_age(std::chrono::duration<double> age) {
  using Seconds = std::chrono::duration<double>;
  struct Unit {
    Seconds length;
    std::string_view name;
  };
  // Each up to twice the next one, so that no figure is rougher than by half.
  constexpr std::array kUnits{Unit{std::chrono::hours(24), " days ago"},
                              Unit{std::chrono::hours(1), " h ago"},
                              Unit{std::chrono::minutes(1), " min ago"}};
  if (age < Seconds(1)) return "just now";
  for (const Unit& unit : kUnits) {
    if (age < 2 * unit.length) continue;
    return format_count(static_cast<std::uint64_t>(age / unit.length)) + std::string(unit.name);
  }
  return std::to_string(static_cast<std::uint64_t>(age.count())) + " s ago";
}

std::string format_duration(std::chrono::milliseconds duration) {
  constexpr std::chrono::minutes kLong{2};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  if (duration >= kLong || duration != seconds) return config::to_string(duration);
  return std::to_string(seconds.count()) + " s";
}

std::string format_time(double seconds_since_1970) {
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &utc)};
}

std::string format_endpoint(std::string_view address, std::string_view port) {
  const bool is_ipv6 = address.find(':') != std::string_view::npos;
  std::string endpoint(is_ipv6 ? "[" : "");
  endpoint.append(address).append(is_ipv6 ? "]" : "");
  if (!port.empty()) endpoint.append(":").append(port);
  return endpoint;
}

std::string format_number_of(std::uint64_t count, std::string_view singular) {
  return format_count(count) + " " + std::string(singular) + (count == 1 ? "" : "s");
}

}  // namespace timewait::status_page
