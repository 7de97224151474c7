#include "collectors/parse/counters.h"

#include <optional>

#include "collectors/parse/text.h"

namespace timewait::parse {

namespace {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool starts_word(std::string_view field, std::size_t i) {
  constexpr std::string_view kProtocol = "TCP";
  if (i == 0 || !is_upper(field[i])) return false;
  if (!is_upper(field[i - 1])) return true;
  if (i == kProtocol.size() && field.starts_with(kProtocol)) return true;
  return i + 1 < field.size() && is_lower(field[i + 1]);
}

// A line that begins with `protocol:`; `rest` then stands behind that line.
std::optional<std::string_view> next_line_of(std::string_view& rest, std::string_view protocol) {
  while (const auto line = next_whole_line(rest)) {
    if (line->starts_with(protocol) && line->substr(protocol.size()).starts_with(':')) {
      return line->substr(protocol.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Fields> parse_counters(std::string_view text, std::string_view protocol) {
  auto names = next_line_of(text, protocol);
  auto values = next_line_of(text, protocol);
  if (!names || !values) {
    return malformed("expected two whole lines " + std::string(protocol) + ":, found " +
                     (names ? "one" : "none"));
  }
  Fields fields;
  while (true) {
    const std::string_view name = next_word(*names);
    const std::string_view value = next_word(*values);
    if (name.empty() != value.empty()) {
      return malformed(std::string(protocol) + ": expected as many values as names, found " +
                       (name.empty() ? "more" : "fewer"));
    }
    if (name.empty()) return fields;
    fields.add(name, value);
  }
}

std::string to_snake_case(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (starts_word(field, i)) out += '_';
    out += is_upper(field[i]) ? static_cast<char>(field[i] - 'A' + 'a') : field[i];
  }
  return out;
}

}  // namespace timewait::parse
