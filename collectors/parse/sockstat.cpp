#include "collectors/parse/sockstat.h"

#include <string>

#include "collectors/parse/text.h"

namespace timewait::parse {

Result<Fields> parse_sockstat(std::string_view text, std::string_view protocol) {
  const std::string heading = std::string(protocol) + ":";
  while (auto line = next_whole_line(text)) {
    if (next_word(*line) != heading) continue;
    Fields fields;
    for (std::string_view key = next_word(*line); !key.empty(); key = next_word(*line)) {
      fields.add(key, next_word(*line));
    }
    return fields;
  }
  return malformed("expected a whole line " + heading + ", found none");
}

}  // namespace timewait::parse
