#include "daemon/http/target.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "daemon/http/ascii.h"

namespace timewait {

namespace {

using Text = tl::expected<std::string, std::string>;

tl::unexpected<std::string> error(std::string text) { return tl::make_unexpected(std::move(text)); }

enum class Plus { kPlus, kSpace };

Text percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::kSpace) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const std::string_view digits = text.substr(i + 1, 2);
      unsigned char byte = 0;
      const auto [end, problem] =
          std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (digits.size() != 2 || problem != std::errc{} || end != digits.data() + 2) {
        return error("a percent sign is not followed by two hexadecimal digits");
      }
      decoded += static_cast<char>(byte);
      i += 2;
    }
  }
  return decoded;
}

std::string_view cut(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

/// The target without scheme and host, or unchanged if it has none.
tl::expected<std::string_view, std::string> origin_form(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equals_ignoring_case(text.substr(0, scheme.size()), scheme)) continue;
    text.remove_prefix(scheme.size());
    const auto host_end = text.find_first_of("/?");
    if (host_end == 0 || text.empty()) return error("the URL has no host");
    return host_end == std::string_view::npos ? std::string_view{} : text.substr(host_end);
  }
  if (!text.starts_with('/')) return error("the target is neither a path nor an http URL");
  return text;
}

tl::expected<QueryParameter, std::string> parse_parameter(std::string_view text) {
  const std::string_view name = cut(text, '=');
  auto decoded_name = percent_decode(name, Plus::kSpace);
  if (!decoded_name) return error(std::move(decoded_name.error()));
  auto decoded_value = percent_decode(text, Plus::kSpace);
  if (!decoded_value) return error(std::move(decoded_value.error()));
  return QueryParameter{std::move(*decoded_name), std::move(*decoded_value)};
}

}  // namespace

std::vector<std::string_view> Target::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const QueryParameter& parameter : query) {
    if (parameter.name == name) found.emplace_back(parameter.value);
  }
  return found;
}

tl::expected<Target, std::string> parse_target(std::string_view text) {
  if (text.find('#') != std::string_view::npos) return error("the target has a fragment");
  const auto origin = origin_form(text);
  if (!origin) return error(origin.error());

  std::string_view query = *origin;
  const std::string_view path = cut(query, '?');
  auto decoded_path = percent_decode(path.empty() ? "/" : path, Plus::kPlus);
  if (!decoded_path) return error(std::move(decoded_path.error()));

  Target target{std::move(*decoded_path), {}};
  while (!query.empty()) {
    const std::string_view parameter = cut(query, '&');
    if (parameter.empty()) continue;
    auto parsed = parse_parameter(parameter);
    if (!parsed) return error(std::move(parsed.error()));
    target.query.push_back(std::move(*parsed));
  }
  return target;
}

}  // namespace timewait
