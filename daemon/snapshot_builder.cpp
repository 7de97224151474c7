#include "daemon/snapshot_builder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/gzip.h"
#include "daemon/landing_page.h"
#include "daemon/process_metrics.h"
#include "daemon/self_metrics.h"
#include "daemon/serializers.h"

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

std::shared_ptr<const Snapshot> render_snapshot(SteadyTime taken,
                                                const std::vector<CollectorFamilies>& collectors,
                                                const PollStatus& status,
                                                std::string_view telemetry_path) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken = taken;
  snapshot->interval = shortest_interval(status);
  snapshot->telemetry_path = telemetry_path;
  for (const auto& [name, families] : collectors) {
    snapshot->collectors.push_back({std::string(name), render_exposition(*families)});
  }
  MetricBuilder exporter;
  emit_self_metrics(status, exporter);
  emit_process_metrics(exporter);
  snapshot->exporter = render_exposition(exporter.take());
  snapshot->text = make_document(*snapshot, &Exposition::text, "");
  snapshot->open_metrics = make_document(*snapshot, &Exposition::open_metrics, kOpenMetricsEnd);
  snapshot->landing_page = render_landing_page(status, telemetry_path);
  return snapshot;
}

}  // namespace timewait
