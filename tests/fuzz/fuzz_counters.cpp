// Input: the text of /proc/net/netstat or /proc/net/snmp.

#include <algorithm>
#include <string>
#include <string_view>

#include "collectors/parse/counters.h"
#include "collectors/parse/text.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void check_snake_case(std::string_view field) {
  if (!std::ranges::all_of(field, is_letter_or_digit)) return;
  const std::string snake_case = parse::to_snake_case(field);
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  fuzz::require(std::ranges::all_of(snake_case, is_allowed), "snake case has no other characters");
  fuzz::require(!snake_case.starts_with('_') && !snake_case.ends_with('_') &&
                    snake_case.find("__") == std::string::npos,
                "underscores part words");
  const auto underscores = std::ranges::count(snake_case, '_');
  fuzz::require(snake_case.size() - static_cast<std::size_t>(underscores) == field.size(),
                "snake case loses no character");
}

/// Looks up every word of the text: the fields among them, and others.
void check_fields(const parse::Fields& counters, std::string_view text) {
  for (auto word = parse::next_word(text); !word.empty(); word = parse::next_word(text)) {
    check_snake_case(word);
    const auto value = counters.find(word);
    if (!value && fuzz::is_printable(word) && word.size() < 100) fuzz::check(value.error());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text({data, size});
  for (const std::string_view protocol : {"TcpExt", "Tcp"}) {
    const auto counters = parse::parse_counters(text, protocol);
    if (!counters) {
      fuzz::check(counters.error());
      continue;
    }
    fuzz::require(counters->find("").value_or(1) == std::nullopt, "no field has an empty name");
    check_fields(*counters, text.substr(0, 1024));
  }
  return 0;
}
