#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/error.h"
#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

/// A list of numbers and ranges as the kernel prints its bitmaps, `8080,9148-9150`, or an empty
/// line (kernel/sysctl.c, proc_do_large_bitmap; lib/bitmap.c, bitmap_print_to_pagebuf). Calls
/// `on_range(first, last)` with numbers of 16 bits for each. `item` is the message's word for what
/// is expected: `a port or a range of ports`.
template <class OnRange>
Result<void> parse_range_list(std::string_view text, std::string_view item, OnRange&& on_range) {
  for (std::string_view rest = trimmed(text); !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    const std::size_t dash = word.find('-');
    const auto first = parse_number<std::uint16_t>(word.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_number<std::uint16_t>(word.substr(dash + 1));
    if (!first || !last || *last < *first) {
      return malformed("expected " + std::string(item) + ", found " + config::in_quotes(word));
    }
    on_range(*first, *last);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return {};
}

}  // namespace timewait::parse
