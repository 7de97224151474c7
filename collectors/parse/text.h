#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace timewait::parse {

/// The whole of `text` as a number, or nothing: no sign where the type has none, no blanks, no
/// rest, no overflow.
template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return value;
}

/// Takes the next line off `rest`, without its newline. An empty `rest` gives an empty line.
std::string_view next_line(std::string_view& rest);

/// The same for a text whose every line ends with a newline, as those of the kernel do: nothing at
/// the end, and nothing for a last piece without newline, which was cut off.
std::optional<std::string_view> next_whole_line(std::string_view& rest);

/// Takes the next word off `rest`: what stands between blanks (space, tab, newline). Empty at the
/// end.
std::string_view next_word(std::string_view& rest);

/// Without the newline and the spaces behind.
std::string_view trimmed(std::string_view text);

/// Cuts a stream of chunks into lines. Holds at most one line of `kMaxLine` bytes; what is longer
/// is cut off there, and the parser of the line then sees that it is wrong.
class LineSplitter {
 public:
  static constexpr std::size_t kMaxLine = 4096;

  /// Calls `on_line(std::string_view)` for every line that this chunk completes. Stops at its first
  /// error and returns it.
  template <class OnLine>
  auto push(std::string_view chunk, OnLine&& on_line) -> decltype(on_line(chunk)) {
    while (!chunk.empty()) {
      const std::size_t newline = chunk.find('\n');
      const std::string_view piece = chunk.substr(0, newline);
      if (newline == std::string_view::npos) {
        keep(piece);
        break;
      }
      chunk.remove_prefix(newline + 1);
      if (auto result = finish_line(piece, on_line); !result) return result;
    }
    return {};
  }

  /// For a last line without newline.
  template <class OnLine>
  auto finish(OnLine&& on_line) -> decltype(on_line(std::string_view{})) {
    if (partial_.empty()) return {};
    return finish_line({}, on_line);
  }

 private:
  void keep(std::string_view piece) {
    partial_.append(piece.substr(0, kMaxLine - std::min(kMaxLine, partial_.size())));
  }

  template <class OnLine>
  auto finish_line(std::string_view piece, OnLine& on_line) -> decltype(on_line(piece)) {
    if (partial_.empty()) return on_line(piece.substr(0, kMaxLine));
    keep(piece);
    auto result = on_line(std::string_view(partial_));
    partial_.clear();
    return result;
  }

  std::string partial_;
};

}  // namespace timewait::parse
