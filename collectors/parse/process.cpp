#include "collectors/parse/process.h"

#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::size_t count_words(std::string_view text) {
  std::size_t count = 0;
  while (!next_word(text).empty()) ++count;
  return count;
}

}  // namespace

Result<ProcessStatus> parse_process_status(std::string_view text) {
  constexpr std::string_view kCapabilities = "CapEff:";
  constexpr std::string_view kPids = "NSpid:";
  ProcessStatus status;
  bool has_capabilities = false;
  while (!text.empty()) {
    std::string_view rest = next_line(text);
    const std::string_view key = next_word(rest);
    if (key == kPids) status.pid_namespaces = count_words(rest);
    if (key != kCapabilities) continue;
    const std::string_view digits = next_word(rest);
    const auto capabilities = parse_number<std::uint64_t>(digits, 16);
    if (!capabilities) {
      return malformed("CapEff: expected hexadecimal digits, found " + config::in_quotes(digits));
    }
    status.effective_capabilities = *capabilities;
    has_capabilities = true;
  }
  if (!has_capabilities) return malformed("expected a line CapEff, found none");
  return status;
}

std::string parse_process_name(std::string_view comm) {
  // It is not trimmed: a name may end in blanks.
  if (comm.ends_with('\n')) comm.remove_suffix(1);
  return config::escaped(comm);
}

std::optional<std::string> parse_container(std::string_view cgroup) {
  constexpr std::size_t kDigits = 64;
  constexpr std::size_t kShown = 12;
  while (!cgroup.empty()) {
    cgroup.remove_prefix(std::min(cgroup.find_first_of(kHexDigits), cgroup.size()));
    const std::string_view digits =
        cgroup.substr(0, std::min(cgroup.find_first_not_of(kHexDigits), cgroup.size()));
    if (digits.size() == kDigits) return std::string(digits.substr(0, kShown));
    cgroup.remove_prefix(digits.size());
  }
  return std::nullopt;
}

}  // namespace timewait::parse
