#include "collectors/parse/sysctl.h"

#include <cstdint>
#include <string>

#include "collectors/parse/range_list.h"
#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

namespace {

constexpr std::size_t kMaxNumbers = 8;

}  // namespace

Result<std::vector<std::int64_t>> parse_sysctl_numbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  std::string_view rest = text;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    const auto number = parse_number<std::int64_t>(word);
    if (!number) return malformed("expected a number, found " + config::in_quotes(word));
    if (numbers.size() == kMaxNumbers) return malformed("expected at most 8 numbers, found more");
    numbers.push_back(*number);
  }
  if (numbers.empty()) return malformed("expected a number, found nothing");
  return numbers;
}

Result<PortRange> parse_port_range(std::string_view text) {
  std::string_view rest = text;
  const auto low = parse_number<std::uint16_t>(next_word(rest));
  const auto high = parse_number<std::uint16_t>(next_word(rest));
  if (!low || !high || *high < *low || !next_word(rest).empty()) {
    return malformed("expected two ports in rising order, found " +
                     config::in_quotes(trimmed(text)));
  }
  return PortRange{*low, *high};
}

Result<PortSet> parse_port_list(std::string_view text) {
  PortSet ports;
  // Linux ends an empty list with a newline too, gVisor does not.
  if (!text.empty() && !text.ends_with('\n')) return malformed("the list is cut off");
  return parse_range_list(
             text, "a port or a range of ports",
             [&](std::uint16_t first, std::uint16_t last) { ports.insert_range(first, last); })
      .map([&] { return ports; });
}

Result<KernelRelease> parse_kernel_release(std::string_view text) {
  const std::string_view release = trimmed(text);
  const std::size_t dot = release.find('.');
  const auto major = parse_number<std::uint32_t>(release.substr(0, dot));
  if (!major || dot == std::string_view::npos) {
    return malformed("expected a kernel release such as 6.1.0, found " +
                     config::in_quotes(release));
  }
  const std::string_view after = release.substr(dot + 1);
  const auto minor =
      parse_number<std::uint32_t>(after.substr(0, after.find_first_not_of("0123456789")));
  if (!minor) {
    return malformed("expected a kernel release such as 6.1.0, found " +
                     config::in_quotes(release));
  }
  return KernelRelease{*major, *minor};
}

}  // namespace timewait::parse
