// Input: the text of /proc/net/sockstat or /proc/net/sockstat6.

#include <string>

#include "collectors/parse/sockstat.h"
#include "collectors/parse/text.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

/// Looks up every word of the text: the keys among them, and others.
void check_fields(const parse::Fields& fields, std::string_view text) {
  for (auto word = parse::next_word(text); !word.empty(); word = parse::next_word(text)) {
    const auto value = fields.find(word);
    if (!value && fuzz::is_printable(word) && word.size() < 100) fuzz::check(value.error());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text({data, size}));
  const auto tcp = parse::parse_sockstat(text, "TCP");
  if (!tcp) {
    fuzz::check(tcp.error());
    return 0;
  }
  check_fields(*tcp, std::string_view(text).substr(0, 1024));
  const std::string longer = "sockets: used 1\n" + text + "UDP: inuse 7 mem 1\n";
  const auto same = parse::parse_sockstat(longer, "TCP");
  fuzz::require(same && same->find("inuse").value_or(std::nullopt) ==
                            tcp->find("inuse").value_or(std::nullopt),
                "other lines make no difference");
  return 0;
}
