#include "daemon/status_page/bar.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace timewait::status_page {

namespace {

// In units of the drawing, which is stretched to the width that there is.
constexpr double kWidth = 1'000;
constexpr double kLeastWidth = 4;
constexpr double kGap = 1;

std::vector<double> compute_widths(std::span<const BarPart> parts, std::uint64_t whole) {
  std::vector<double> widths;
  double sum = 0;
  for (const BarPart& part : parts) {
    const double share =
        whole == 0 ? 0 : static_cast<double>(part.count) / static_cast<double>(whole);
    widths.push_back(part.count == 0 ? 0 : std::max(kLeastWidth, share * kWidth));
    sum += widths.back();
  }
  // Small parts that were widened take it from the large ones.
  if (sum > kWidth) {
    for (double& width : widths) width *= kWidth / sum;
  }
  return widths;
}

std::string in_tenths(double value) {
  const auto tenths = static_cast<std::uint64_t>(std::lround(std::max(0.0, value) * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

void render_bar(std::span<const BarPart> parts, std::uint64_t whole, HtmlWriter& page) {
  page << R"(<svg class="bar" aria-hidden="true" viewBox="0 0 1000 10")"_html
       << R"( preserveAspectRatio="none">)"_html
       << R"(<rect class="free" width="1000" height="10"/>)"_html;
  const std::vector<double> widths = compute_widths(parts, whole);
  double x = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (widths[i] == 0) continue;
    page << R"(<rect class=")"_html << parts[i].css_class << R"(" x=")"_html << in_tenths(x)
         << R"(" width=")"_html << in_tenths(widths[i] - kGap) << R"(" height="10"/>)"_html;
    x += widths[i];
  }
  page << "</svg>"_html;
}

void render_bar_patterns(HtmlWriter& page) {
  page << R"(<svg class="patterns" aria-hidden="true" width="0" height="0"><defs>
<pattern id="stripes" width="6" height="10" patternUnits="userSpaceOnUse">
<rect class="pale" width="6" height="10"/><rect class="time_wait" width="3" height="10"/>
</pattern>
</defs></svg>
)"_html;
}

}  // namespace timewait::status_page
