#include "config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <system_error>

namespace timewait::config {

namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t milliseconds;
};

constexpr std::array kUnits = {
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1},
};

constexpr auto kLongest =
    static_cast<std::uint64_t>(std::numeric_limits<std::chrono::milliseconds::rep>::max());

/// Takes a whole number off the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Takes the letters up to the next number off the front of `text`.
std::string_view take_suffix(std::string_view& text) {
  const std::string_view suffix = text.substr(0, text.find_first_of("0123456789"));
  text.remove_prefix(suffix.size());
  return suffix;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  const auto* unit = kUnits.begin();
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const std::string_view suffix = take_suffix(text);
    // Going on from the last unit makes a repeated or rising one an error.
    while (unit != kUnits.end() && unit->suffix != suffix) ++unit;
    if (unit == kUnits.end()) return std::nullopt;
    if (*number > (kLongest - total) / unit->milliseconds) return std::nullopt;
    total += *number * unit->milliseconds;
    ++unit;
  }
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(total));
}

std::string to_string(std::chrono::milliseconds duration) {
  if (duration == std::chrono::milliseconds::zero()) return "0s";
  const bool negative = duration < std::chrono::milliseconds::zero();
  const auto count = static_cast<std::uint64_t>(duration.count());
  std::uint64_t rest = negative ? 0 - count : count;
  std::string text = negative ? "-" : "";
  for (const Unit& unit : kUnits) {
    if (rest < unit.milliseconds) continue;
    text += std::to_string(rest / unit.milliseconds);
    text += unit.suffix;
    rest %= unit.milliseconds;
  }
  return text;
}

}  // namespace timewait::config
