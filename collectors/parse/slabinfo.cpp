#include "collectors/parse/slabinfo.h"

#include <algorithm>
#include <array>
#include <optional>

#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

namespace {

struct Column {
  std::string_view heading;
  std::uint64_t SlabCache::*field;
};

constexpr std::array kColumns{
    Column{"<active_objs>", &SlabCache::active_objects},
    Column{"<num_objs>", &SlabCache::objects},
    Column{"<objsize>", &SlabCache::object_size},
    Column{"<pagesperslab>", &SlabCache::pages_per_slab},
    Column{"<num_slabs>", &SlabCache::slabs},
};

/// Which word of a cache's line holds each column; the cache's name is word 0.
using Positions = std::array<std::size_t, kColumns.size()>;

Result<Positions> parse_heading(std::string_view line) {
  Positions positions{};
  next_word(line);  // "#"
  std::size_t position = 0;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line), ++position) {
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (kColumns[i].heading == word) positions[i] = position;
    }
  }
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (positions[i] == 0) {
      return malformed("expected a column " + std::string(kColumns[i].heading) + " in the heading");
    }
  }
  return positions;
}

Result<SlabCache> parse_cache(std::string_view line, const Positions& positions) {
  SlabCache cache;
  std::array<bool, kColumns.size()> found{};
  std::size_t position = 0;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line), ++position) {
    if (position == 0) cache.name = word;
    const auto* const column = std::ranges::find(positions, position);
    if (position == 0 || column == positions.end()) continue;
    const auto index = static_cast<std::size_t>(column - positions.begin());
    const auto value = parse_number<std::uint64_t>(word);
    if (!value) {
      return malformed(cache.name + ": " + std::string(kColumns[index].heading) +
                       ": expected a number, found " + config::in_quotes(word));
    }
    cache.*kColumns[index].field = *value;
    found[index] = true;
  }
  if (!std::ranges::all_of(found, [](bool is_there) { return is_there; })) {
    return malformed(cache.name + ": the line is too short");
  }
  return cache;
}

}  // namespace

Result<Slabinfo> parse_slabinfo(std::string_view text, const std::vector<std::string>& names) {
  std::optional<Positions> positions;
  Slabinfo slabinfo;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto whole_line = next_whole_line(text);
    const auto at_line = [number](Error error) {
      error.detail = "line " + std::to_string(number) + ": " + error.detail;
      return error;
    };
    if (!whole_line) {
      slabinfo.problems.push_back(at_line({ErrorReason::kMalformed, {}, "the text is cut off"}));
      break;
    }
    const std::string_view line = *whole_line;
    if (line.starts_with("# name")) {
      const auto heading = parse_heading(line).map_error(at_line);
      if (!heading) return tl::make_unexpected(heading.error());
      positions = *heading;
      continue;
    }
    std::string_view rest = line;
    const std::string_view name = next_word(rest);
    if (!positions || std::ranges::find(names, name) == names.end()) continue;
    auto cache = parse_cache(line, *positions).map_error(at_line);
    if (cache) {
      slabinfo.caches.push_back(*std::move(cache));
    } else {
      slabinfo.problems.push_back(cache.error());
    }
  }
  if (!positions) return malformed("expected a heading line that begins with # name, found none");
  return slabinfo;
}

}  // namespace timewait::parse
