#include "collectors/parse/sockstat.h"

#include <array>
#include <string>

#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

namespace {

struct Key {
  std::string_view protocol;
  std::string_view key;
  std::optional<std::uint64_t> Sockstat::*field;
};

constexpr std::array kKeys{
    Key{"TCP:", "inuse", &Sockstat::tcp_in_use},     Key{"TCP:", "orphan", &Sockstat::tcp_orphans},
    Key{"TCP:", "tw", &Sockstat::tcp_time_wait},     Key{"TCP:", "alloc", &Sockstat::tcp_allocated},
    Key{"TCP:", "mem", &Sockstat::tcp_memory_pages}, Key{"TCP6:", "inuse", &Sockstat::tcp6_in_use},
};

Result<void> parse_pairs(std::string_view protocol, std::string_view pairs, Sockstat& out) {
  while (true) {
    const std::string_view key = next_word(pairs);
    if (key.empty()) return {};
    const std::string_view value = next_word(pairs);
    for (const Key& known : kKeys) {
      if (known.protocol != protocol || known.key != key) continue;
      const auto number = parse_number<std::uint64_t>(value);
      if (!number) {
        return malformed(std::string(protocol) + " " + std::string(key) +
                         ": expected a number, found " + config::in_quotes(value));
      }
      out.*known.field = *number;
    }
  }
}

}  // namespace

Result<Sockstat> parse_sockstat(std::string_view text) {
  Sockstat sockstat;
  bool found = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = next_line(text);
    const std::string_view protocol = next_word(line);
    if (protocol != "TCP:" && protocol != "TCP6:") continue;
    found = true;
    if (auto parsed = parse_pairs(protocol, line, sockstat); !parsed) {
      return malformed("line " + std::to_string(number) + ": " + parsed.error().detail);
    }
  }
  if (!found) return malformed("expected a line TCP: or TCP6:, found none");
  return sockstat;
}

}  // namespace timewait::parse
