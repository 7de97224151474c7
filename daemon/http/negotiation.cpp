#include "daemon/http/negotiation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/http/ascii.h"

namespace timewait {

namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts the part before the next `separator` off `rest`; one inside a quoted string does not count.
std::string_view cut(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (c == separator && !quoted) break;
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted) ++end;
  }
  end = std::min(end, rest.size());
  const std::string_view part = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::string_view unquote(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// A weight in thousandths; digits past the third do not count.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int quality = text[0] == '1' ? 1000 : 0;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return std::nullopt;
    quality += (c - '0') * unit;
    unit /= 10;
  }
  if (quality > 1000) return std::nullopt;
  return quality;
}

struct Element {
  std::string_view name;
  std::string_view version;  ///< empty where there is none
  int quality = 1000;
};

std::optional<Element> parse_element(std::string_view text) {
  Element element;
  element.name = cut(text, ';');
  while (!text.empty()) {
    std::string_view value = cut(text, ';');
    const std::string_view key = cut(value, '=');
    if (equals_ignoring_case(key, "version")) element.version = unquote(trim(value));
    if (!equals_ignoring_case(key, "q")) continue;
    const auto quality = parse_quality(trim(value));
    if (!quality) return std::nullopt;
    element.quality = *quality;
  }
  return element;
}

template <class Visitor>
void for_each_element(std::string_view list, Visitor visit) {
  while (!list.empty()) {
    if (const auto element = parse_element(cut(list, ','))) visit(*element);
  }
}

/// The quality of something that several elements may match: the closest match decides, however low
/// its quality.
class Match {
 public:
  void offer(int closeness, int quality) { best_ = std::max(best_, {closeness, quality}); }
  int quality() const { return best_.second; }

 private:
  std::pair<int, int> best_{0, 0};
};

/// How closely an element names text 0.0.4; 0: not at all.
int closeness_to_text(const Element& element) {
  if (element.name == "*/*") return 1;
  if (equals_ignoring_case(element.name, "text/*")) return 2;
  if (!equals_ignoring_case(element.name, "text/plain")) return 0;
  if (element.version.empty()) return 3;
  return element.version == "0.0.4" ? 4 : 0;
}

bool names_open_metrics(const Element& element) {
  return equals_ignoring_case(element.name, "application/openmetrics-text") &&
         (element.version.empty() || element.version == "0.0.1" || element.version == "1.0.0");
}

}  // namespace

ExpositionFormat negotiate_format(std::string_view accept) {
  int open_metrics = 0;
  Match text;
  for_each_element(accept, [&](const Element& element) {
    if (names_open_metrics(element)) open_metrics = std::max(open_metrics, element.quality);
    if (const int closeness = closeness_to_text(element); closeness > 0) {
      text.offer(closeness, element.quality);
    }
  });
  return open_metrics > 0 && open_metrics >= text.quality() ? ExpositionFormat::kOpenMetrics
                                                            : ExpositionFormat::kText;
}

bool accepts_gzip(std::string_view accept_encoding) {
  Match gzip;
  int identity = 0;
  for_each_element(accept_encoding, [&](const Element& element) {
    if (element.name == "*") gzip.offer(1, element.quality);
    // RFC 9110 section 8.4.1.3: x-gzip is another name of gzip.
    if (equals_ignoring_case(element.name, "gzip") ||
        equals_ignoring_case(element.name, "x-gzip")) {
      gzip.offer(2, element.quality);
    }
    if (equals_ignoring_case(element.name, "identity")) identity = element.quality;
  });
  return gzip.quality() > 0 && gzip.quality() >= identity;
}

std::string_view content_type(ExpositionFormat format) {
  return format == ExpositionFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace timewait
