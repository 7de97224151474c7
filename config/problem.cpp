#include "config/problem.h"

#include <algorithm>
#include <tuple>

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

void sort_by_place(Problems& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
}

std::string to_string(const std::string& file, const Problem& problem) {
  std::string text = file + ":";
  if (problem.place.line != 0) {
    text += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ":";
  }
  return text + " " + problem.message;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxShown)) append_escaped(out, c);
  if (text.size() > kMaxShown) out += "...";
  return out;
}

std::string in_quotes(std::string_view text) { return '"' + escaped(text) + '"'; }

}  // namespace timewait::config
