#include "collectors/metric.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace timewait {

namespace {

prometheus::MetricType to_prometheus(MetricType type) {
  return type == MetricType::kCounter ? prometheus::MetricType::Counter
                                      : prometheus::MetricType::Gauge;
}

}  // namespace

prometheus::MetricFamily& MetricBuilder::find_or_add(const MetricDescription& metric) {
  // Samples of a family come together, so the newest family is nearly always the right one.
  const auto known = std::find_if(
      families_.rbegin(), families_.rend(),
      [&](const prometheus::MetricFamily& family) { return family.name == metric.name(); });
  if (known != families_.rend()) return *known;
  families_.push_back(
      {std::string(metric.name()), std::string(metric.help()), to_prometheus(metric.type()), {}});
  return families_.back();
}

void MetricBuilder::emit(const MetricDescription& metric, double value,
                         std::initializer_list<std::string_view> label_values) {
  assert(label_values.size() == metric.labels().size());
  assert(std::isfinite(value));
  prometheus::ClientMetric sample;
  sample.label.reserve(label_values.size());
  const std::string_view* label_value = label_values.begin();
  for (const std::string_view name : metric.labels()) {
    sample.label.push_back({std::string(name), std::string(*label_value++)});
  }
  if (metric.type() == MetricType::kCounter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
  find_or_add(metric).metric.push_back(std::move(sample));
}

}  // namespace timewait
