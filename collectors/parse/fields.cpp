#include "collectors/parse/fields.h"

#include <string>

#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

Result<std::optional<std::uint64_t>> Fields::find(std::string_view name) const {
  for (const auto& [field, text] : fields_) {
    if (field != name) continue;
    const auto value = parse_number<std::uint64_t>(text);
    if (!value) {
      return malformed(std::string(name) + ": expected a number, found " + config::in_quotes(text));
    }
    return value;
  }
  return std::nullopt;
}

}  // namespace timewait::parse
