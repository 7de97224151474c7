#include "collectors/parse/text.h"

#include <array>

namespace timewait::parse {

namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::size_t kMaxExcerpt = 40;

}  // namespace

std::string_view next_line(std::string_view& rest) {
  const std::size_t newline = rest.find('\n');
  const std::string_view line = rest.substr(0, newline);
  rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
  return line;
}

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  return word;
}

std::string quoted(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxExcerpt)) {
    if (c >= ' ' && c <= '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xfU]});
  }
  out += text.size() > kMaxExcerpt ? "...\"" : "\"";
  return out;
}

}  // namespace timewait::parse
