#include "config/quote.h"

#include <cstddef>

namespace timewait::config {

namespace {

constexpr std::size_t kMaxShown = 80;
constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_escaped(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c >= ' ' && c <= '~') {
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kHexDigits[byte >> 4U];
    out += kHexDigits[byte & 0xFU];
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxShown)) append_escaped(out, c);
  if (text.size() > kMaxShown) out += "...";
  return out;
}

std::string in_quotes(std::string_view text) { return '"' + escaped(text) + '"'; }

}  // namespace timewait::config
