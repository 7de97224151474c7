#include "daemon/lists.h"

#include "collectors/registry.h"
#include "daemon/process_metrics.h"
#include "daemon/self_metrics.h"

namespace timewait {

namespace {

std::string render_metric(const MetricDescription& metric) {
  std::string labels;
  for (const std::string_view label : metric.labels()) {
    labels.append(labels.empty() ? "" : ", ").append(label);
  }
  return "| " + std::string(metric.name()) + " | " +
         (metric.type() == MetricType::kCounter ? "counter" : "gauge") + " | " + labels + " | " +
         std::string(metric.help()) + " |\n";
}

}  // namespace

std::string render_collector_list() {
  std::string list;
  for (const CollectorEntry* entry : all_collectors()) {
    list += std::string(entry->name) + " (" + (entry->enabled_by_default ? "on" : "off") +
            " by default; privilege: " + std::string(entry->privilege) + ")\n    " +
            std::string(entry->help) + "\n";
  }
  return list;
}

std::vector<MetricDescription> all_metrics() {
  std::vector<MetricDescription> all;
  for (const CollectorEntry* entry : all_collectors()) {
    const auto metrics = entry->metrics();
    all.insert(all.end(), metrics.begin(), metrics.end());
  }
  for (const auto metrics : {self_metrics(), process_metrics()}) {
    all.insert(all.end(), metrics.begin(), metrics.end());
  }
  return all;
}

std::string render_metric_list() {
  std::string list = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const MetricDescription& metric : all_metrics()) list += render_metric(metric);
  return list;
}

}  // namespace timewait
