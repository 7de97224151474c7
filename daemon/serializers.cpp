#include "daemon/serializers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <ostream>
#include <string_view>

namespace timewait {

namespace {

enum class Quotes : bool { kKeep, kEscape };

void write_escaped(std::ostream& out, std::string_view text, Quotes quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out << "\\\\";
    } else if (c == '\n') {
      out << "\\n";
    } else if (c == '"' && quotes == Quotes::kEscape) {
      out << "\\\"";
    } else {
      out << c;
    }
  }
}

void write_labels(std::ostream& out, const std::vector<prometheus::ClientMetric::Label>& labels) {
  char before = '{';
  for (const auto& label : labels) {
    out << before << label.name << "=\"";
    write_escaped(out, label.value, Quotes::kEscape);
    out << '"';
    before = ',';
  }
  if (!labels.empty()) out << '}';
}

bool is_counter(const prometheus::MetricFamily& family) {
  return family.type == prometheus::MetricType::Counter;
}

void write_samples(std::ostream& out, const prometheus::MetricFamily& family) {
  for (const auto& metric : family.metric) {
    out << family.name;
    write_labels(out, metric.label);
    out << ' ' << render_value(is_counter(family) ? metric.counter.value : metric.gauge.value)
        << '\n';
  }
}

void write_heading(std::ostream& out, std::string_view name, const prometheus::MetricFamily& family,
                   Quotes quotes) {
  out << "# HELP " << name << ' ';
  write_escaped(out, family.help, quotes);
  out << "\n# TYPE " << name << (is_counter(family) ? " counter\n" : " gauge\n");
}

}  // namespace

std::string render_value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};  // the longest double takes 24
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

void TextSerializer::Serialize(std::ostream& out,
                               const std::vector<prometheus::MetricFamily>& families) const {
  for (const auto& family : families) {
    write_heading(out, family.name, family, Quotes::kKeep);
    write_samples(out, family);
  }
}

void OpenMetricsSerializer::Serialize(std::ostream& out,
                                      const std::vector<prometheus::MetricFamily>& families) const {
  constexpr std::string_view kSuffix = "_total";
  for (const auto& family : families) {
    // The family of a counter is named without the suffix that its samples have.
    std::string_view name = family.name;
    if (is_counter(family) && name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
    write_heading(out, name, family, Quotes::kEscape);
    write_samples(out, family);
  }
}

}  // namespace timewait
