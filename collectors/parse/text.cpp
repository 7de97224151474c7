#include "collectors/parse/text.h"

#include <array>

namespace timewait::parse {

namespace {

constexpr std::string_view kBlanks = " \t\n\r";

}  // namespace

std::string_view next_line(std::string_view& rest) {
  const std::size_t newline = rest.find('\n');
  const std::string_view line = rest.substr(0, newline);
  rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
  return line;
}

std::optional<std::string_view> next_whole_line(std::string_view& rest) {
  if (rest.find('\n') == std::string_view::npos) return std::nullopt;
  return next_line(rest);
}

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  return word;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

}  // namespace timewait::parse
