#include "daemon/snapshot_builder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/gzip.h"
#include "daemon/process_metrics.h"
#include "daemon/self_metrics.h"
#include "daemon/serializers.h"
#include "daemon/status_page/compute_view.h"
#include "daemon/status_page/render_page.h"

namespace timewait {

namespace {

Exposition render_exposition(const MetricFamilies& families) {
  return {TextSerializer().Serialize(families), OpenMetricsSerializer().Serialize(families)};
}

Document make_document(const Snapshot& snapshot, std::string Exposition::*format,
                       std::string_view end) {
  std::string plain;
  for (const CollectorExposition& collector : snapshot.collectors) {
    plain += collector.exposition.*format;
  }
  plain += snapshot.exporter.*format;
  plain += end;
  std::string gzip = compress_gzip(plain);
  return {std::move(plain), std::move(gzip)};
}

std::chrono::milliseconds shortest_interval(const PollStatus& status) {
  const auto shortest = std::ranges::min_element(status.collectors, {}, &CollectorStatus::interval);
  return shortest == status.collectors.end() ? std::chrono::milliseconds{} : shortest->interval;
}

}  // namespace

std::shared_ptr<const Snapshot> SnapshotBuilder::build(
    SteadyTime taken, const std::vector<CollectorFamilies>& collectors, const PollStatus& status,
    std::string_view telemetry_path) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken = taken;
  snapshot->interval = shortest_interval(status);
  snapshot->telemetry_path = telemetry_path;
  for (const CollectorFamilies& each : collectors) {
    snapshot->collectors.push_back(
        {std::string(each.collector), render_exposition(*each.families)});
  }
  MetricBuilder exporter;
  emit_self_metrics(status, exporter);
  emit_process_metrics(exporter);
  snapshot->exporter = render_exposition(exporter.take());
  snapshot->text = make_document(*snapshot, &Exposition::text, "");
  snapshot->open_metrics = make_document(*snapshot, &Exposition::open_metrics, kOpenMetricsEnd);
  failures_.see(taken, status_page::PublishedFigures(collectors));
  snapshot->status_page =
      status_page::render_page(status_page::compute_view({.taken = taken,
                                                          .collectors = collectors,
                                                          .status = status,
                                                          .failures = failures_,
                                                          .interval = snapshot->interval,
                                                          .telemetry_path = telemetry_path}));
  return snapshot;
}

}  // namespace timewait
