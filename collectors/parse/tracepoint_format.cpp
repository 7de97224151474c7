#include "collectors/parse/tracepoint_format.h"

#include <algorithm>
#include <optional>

#include "collectors/parse/text.h"
#include "config/quote.h"

namespace timewait::parse {

namespace {

// An enormous offset would overflow where it is added to.
constexpr std::size_t kMaxRecord = std::size_t{64} * 1024;

/// Takes `KEY:VALUE;` off the line, whatever blanks stand before it.
std::optional<std::string_view> take_value(std::string_view& line, std::string_view key) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.starts_with(key)) return std::nullopt;
  const std::size_t end = line.find(';');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = line.substr(key.size(), end - key.size());
  line.remove_prefix(end + 1);
  return value;
}

/// The name in a C declaration: `saddr_v6` of `__u8 saddr_v6[16]`.
std::string_view declared_name(std::string_view declaration) {
  const std::string_view before_bounds = declaration.substr(0, declaration.find('['));
  const std::size_t blank = before_bounds.find_last_of(" *");
  return blank == std::string_view::npos ? before_bounds : before_bounds.substr(blank + 1);
}

std::optional<std::size_t> parse_extent(std::optional<std::string_view> text) {
  const auto number = text ? parse_number<std::size_t>(*text) : std::nullopt;
  return number && *number <= kMaxRecord ? number : std::nullopt;
}

Result<TracepointField> parse_field(std::string_view line) {
  std::string_view rest = line;
  const auto declaration = take_value(rest, "field:");
  const auto offset = parse_extent(take_value(rest, "offset:"));
  const auto size = parse_extent(take_value(rest, "size:"));
  if (!declaration || !offset || !size) {
    return malformed("expected a field with its offset and size, found " + config::in_quotes(line));
  }
  return TracepointField{std::string(declared_name(*declaration)), *offset, *size};
}

}  // namespace

Result<TracepointField> TracepointFormat::find(std::string_view name, std::size_t size) const {
  const auto field = std::ranges::find(fields, name, &TracepointField::name);
  const std::string wanted =
      "expected a field " + std::string(name) + " of " + std::to_string(size) + " bytes, found ";
  if (field == fields.end()) return malformed(wanted + "none");
  if (field->size != size) return malformed(wanted + "one of " + std::to_string(field->size));
  return *field;
}

Result<TracepointFormat> parse_tracepoint_format(std::string_view text) {
  constexpr std::string_view kId = "ID: ";
  TracepointFormat format;
  bool has_id = false;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = next_line(rest);
    if (line.starts_with(kId)) {
      const auto id = parse_number<std::uint64_t>(line.substr(kId.size()));
      if (!id) return malformed("expected a number as ID, found " + config::in_quotes(line));
      format.id = *id;
      has_id = true;
    }
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("field:")) continue;
    auto field = parse_field(line);
    if (!field) return tl::make_unexpected(field.error());
    format.fields.push_back(*std::move(field));
  }
  if (!has_id) return malformed("expected a line with the tracepoint's ID, found none");
  return format;
}

}  // namespace timewait::parse
