#include "daemon/self_metrics.h"

#include <array>
#include <chrono>

#include "daemon/version.h"

namespace timewait {

namespace {

constexpr MetricDescription kBuildInfo{
    "timewait_exporter_build_info",
    MetricType::kGauge,
    "1, labelled with the version, the source revision and the compiler.",
    {"version", "revision", "compiler"}};
constexpr MetricDescription kSuccess{
    "timewait_exporter_collector_success",
    MetricType::kGauge,
    "1 if the collector's last poll read all of its sources, else 0.",
    {"collector"}};
constexpr MetricDescription kDuration{"timewait_exporter_collector_duration_seconds",
                                      MetricType::kGauge,
                                      "How long the collector's last poll took.",
                                      {"collector"}};
constexpr MetricDescription kCpu{"timewait_exporter_collector_cpu_seconds_total",
                                 MetricType::kCounter,
                                 "CPU time that the collector's polls have taken.",
                                 {"collector"}};
constexpr MetricDescription kLastSuccess{
    "timewait_exporter_collector_last_success_timestamp_seconds",
    MetricType::kGauge,
    "When the collector's last successful poll ended.",
    {"collector"}};
constexpr MetricDescription kErrors{"timewait_exporter_collector_errors_total",
                                    MetricType::kCounter,
                                    "Sources that the collector could not read, by reason.",
                                    {"collector", "reason"}};
constexpr MetricDescription kInterval{
    "timewait_exporter_collector_interval_seconds",
    MetricType::kGauge,
    "Time from one poll of the collector to the next: as configured, or longer to keep its CPU "
    "time within cpu_budget_ratio.",
    {"collector"}};
constexpr MetricDescription kPolls{"timewait_exporter_polls_total", MetricType::kCounter,
                                   "Rounds of polling since the start."};
constexpr MetricDescription kOverruns{
    "timewait_exporter_poll_overruns_total", MetricType::kCounter,
    "Deadlines that a round of polling missed because it took too long, and that were left out."};
constexpr MetricDescription kSnapshotTime{
    "timewait_exporter_snapshot_timestamp_seconds", MetricType::kGauge,
    "When the figures of this exposition were gathered; they are kept between polls."};
constexpr MetricDescription kReloadSuccessful{
    "timewait_exporter_config_last_reload_successful", MetricType::kGauge,
    "1 if the configuration was good when it was last read, else 0."};
constexpr MetricDescription kReloadTime{
    "timewait_exporter_config_last_reload_success_timestamp_seconds", MetricType::kGauge,
    "When a good configuration was last read."};

constexpr std::array kMetrics{kBuildInfo,   kSuccess,      kDuration,         kCpu,
                              kLastSuccess, kErrors,       kInterval,         kPolls,
                              kOverruns,    kSnapshotTime, kReloadSuccessful, kReloadTime};

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

void emit_collector(const CollectorStatus& status, MetricBuilder& metrics) {
  metrics.emit(kSuccess, status.success ? 1 : 0, {status.name});
  metrics.emit(kDuration, seconds(status.duration), {status.name});
  metrics.emit(kCpu, seconds(status.cpu), {status.name});
  if (status.last_success) metrics.emit(kLastSuccess, *status.last_success, {status.name});
  metrics.emit(kInterval, seconds(status.interval), {status.name});
  for (const ErrorReason reason : kAllErrorReasons) {
    metrics.emit(kErrors, as_sample(status.errors[static_cast<std::size_t>(reason)]),
                 {status.name, to_string(reason)});
  }
}

}  // namespace

void emit_self_metrics(const PollStatus& status, MetricBuilder& metrics) {
  metrics.emit(kBuildInfo, 1, {kVersion, kRevision, kCompiler});
  for (const CollectorStatus& collector : status.collectors) emit_collector(collector, metrics);
  metrics.emit(kPolls, as_sample(status.polls));
  metrics.emit(kOverruns, as_sample(status.overruns));
  metrics.emit(kSnapshotTime, status.snapshot_time);
  metrics.emit(kReloadSuccessful, status.last_config_was_good ? 1 : 0);
  metrics.emit(kReloadTime, status.config_load_time);
}

std::span<const MetricDescription> self_metrics() { return kMetrics; }

}  // namespace timewait
