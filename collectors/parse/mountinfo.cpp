#include "collectors/parse/mountinfo.h"

#include <array>
#include <cstddef>

#include "collectors/parse/text.h"

namespace timewait::parse {

namespace {

/// Blanks, newlines and backslashes of a path stand as three octal digits (seq_path).
std::string unescape(std::string_view path) {
  constexpr std::size_t kDigits = 3;
  std::string plain;
  while (!path.empty()) {
    const auto code = path.front() == '\\' && path.size() > kDigits
                          ? parse_number<std::uint8_t>(path.substr(1, kDigits), 8)
                          : std::nullopt;
    plain += code ? static_cast<char>(*code) : path.front();
    path.remove_prefix(code ? 1 + kDigits : 1);
  }
  return plain;
}

}  // namespace

std::optional<Mount> parse_mount(std::string_view line) {
  constexpr std::size_t kRoot = 3;
  constexpr std::size_t kPoint = 4;
  std::array<std::string_view, 6> fields;
  for (std::string_view& field : fields) field = next_word(line);
  // Optional fields follow, as many as there are, until a dash.
  for (std::string_view word = next_word(line); word != "-"; word = next_word(line)) {
    if (word.empty()) return std::nullopt;
  }
  const std::string_view type = next_word(line);
  if (type.empty()) return std::nullopt;
  return Mount{fields[kRoot], unescape(fields[kPoint]), type};
}

std::optional<std::uint64_t> parse_network_namespace(std::string_view text) {
  constexpr std::string_view kHead = "net:[";
  if (!text.starts_with(kHead) || !text.ends_with(']')) return std::nullopt;
  return parse_number<std::uint64_t>(text.substr(kHead.size(), text.size() - kHead.size() - 1));
}

}  // namespace timewait::parse
