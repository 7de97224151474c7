#include "daemon/status_page/published_figures.h"

#include <algorithm>

namespace timewait::status_page {

std::span<const prometheus::ClientMetric> PublishedFigures::samples(std::string_view family) const {
  for (const CollectorFamilies& collector : collectors_) {
    for (const prometheus::MetricFamily& each : *collector.families) {
      if (each.name == family) return each.metric;
    }
  }
  return {};
}

std::optional<double> PublishedFigures::find(std::string_view family,
                                             std::initializer_list<Label> labels) const {
  for (const prometheus::ClientMetric& sample : samples(family)) {
    const bool matches = std::ranges::all_of(
        labels, [&](const Label& label) { return label_of(sample, label.name) == label.value; });
    if (matches) return value_of(sample);
  }
  return std::nullopt;
}

std::string_view label_of(const prometheus::ClientMetric& sample, std::string_view name) {
  for (const prometheus::ClientMetric::Label& label : sample.label) {
    if (label.name == name) return label.value;
  }
  return {};
}

double value_of(const prometheus::ClientMetric& sample) {
  // MetricBuilder sets one of the two and leaves the other at 0.
  return sample.gauge.value + sample.counter.value;
}

}  // namespace timewait::status_page
