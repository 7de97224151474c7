#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/collector.h"
#include "collectors/connect_failures_metrics.h"
#include "collectors/model/failure_counts.h"
#include "collectors/parse/connect_failure.h"
#include "collectors/read_ports.h"
#include "collectors/task_reader.h"
#include "collectors/tracepoint_reader.h"
#include "config/option_reader.h"

namespace timewait {

using namespace connect_failures;  // NOLINT(google-build-using-namespace): its own families

namespace {

/// What this kernel's records of failed connects look like.
struct FailureEvent {
  Tracepoint tracepoint;
  parse::ConnectFailureLayout layout;
};

/// Why a tracepoint's format cannot be read, beyond what the kernel says.
std::string read_explanation(Kernel& kernel, ErrorReason reason) {
  constexpr parse::KernelRelease kFirst{4, 16};
  const auto release = read_kernel_release(kernel);
  if (release && *release < kFirst) {
    return " (the tracepoint " + std::string(parse::kConnectFailureTracepoint) +
           " came with Linux 4.16)";
  }
  if (reason != ErrorReason::kPermission) return {};
  return " (tracefs is for root and CAP_DAC_READ_SEARCH; the event needs CAP_PERFMON too)";
}

Result<FailureEvent> read_failure_event(Kernel& kernel) {
  const std::string path = "events/" + std::string(parse::kConnectFailureEvent) + "/format";
  auto text = kernel.read_tracefs(path);
  if (!text) {
    text.error().detail += read_explanation(kernel, text.error().reason);
    return tl::make_unexpected(text.error());
  }
  return parse::parse_tracepoint_format(*text)
      .and_then([](const parse::TracepointFormat& format) {
        return parse::compute_connect_failure_layout(format).map(
            [&](const parse::ConnectFailureLayout& layout) {
              return FailureEvent{{format.id, std::string(parse::kConnectFailureFilter)}, layout};
            });
      })
      .map_error(from_source("tracefs " + path));
}

class ConnectFailuresCollector final : public Collector {
 public:
  ConnectFailuresCollector(Kernel& kernel, std::size_t max_destinations)
      : kernel_(kernel), tasks_(kernel), counts_(max_destinations) {}

  Result<void> collect(SteadyTime now, CollectorOutput& out) override {
    report(follow_cpus(now), out);
    take_events();
    tasks_.forget();
    report(std::exchange(taken_, {}), out);
    if (reader_) report(reader_->count(now), out);
    if (const auto why = tasks_.why_unknown(); why && has_counted()) out.notice(*why);
    emit(out.metrics);
    return {};
  }

  void continue_from(Collector& previous) override {
    auto& before = static_cast<ConnectFailuresCollector&>(previous);
    before.take_events();  // which its ring buffers would take along
    if (before.reader_) reader_.emplace(std::move(*before.reader_));
    layout_ = before.layout_;
    not_found_ = std::move(before.not_found_);
    looked_at_ = before.looked_at_;
    taken_ = std::move(before.taken_);
    counts_.continue_from(std::move(before.counts_));
  }

  std::span<const int> event_descriptors() const override {
    return reader_ ? reader_->descriptors() : std::span<const int>();
  }

  void take_events() override {
    if (!reader_) return;
    tasks_.begin_batch();
    auto taken = reader_->take_samples(on_sample());
    if (taken_) taken_ = std::move(taken);
  }

 private:
  static void report(const Result<void>& result, CollectorOutput& out) {
    if (!result) out.report(result.error());
  }

  Result<void> follow_cpus(SteadyTime now) {
    if (!reader_) {
      if (auto found = find_tracepoint(now); !found) return found;
    }
    return reader_->follow_cpus(now, on_sample());
  }

  /// Looks for it every minute until it is there: tracefs may be mounted later.
  Result<void> find_tracepoint(SteadyTime now) {
    constexpr std::chrono::minutes kRetry{1};
    if (not_found_ && now < looked_at_ + kRetry) return tl::make_unexpected(*not_found_);
    looked_at_ = now;
    const auto event = read_failure_event(kernel_);
    if (!event) {
      not_found_ = event.error();
      return tl::make_unexpected(event.error());
    }
    layout_ = event->layout;
    reader_.emplace(kernel_, event->tracepoint, std::string(parse::kConnectFailureTracepoint));
    return {};
  }

  TracepointReader::OnSample on_sample() {
    return [this](const parse::PerfSample& sample) {
      return parse::parse_connect_failure(layout_, sample.raw).map([&](const ConnectTuple& tuple) {
        const Task& task = tasks_.read(sample.process, sample.thread);
        counts_.add({task.netns, tuple, task.process});
      });
    };
  }

  bool has_counted() const { return reader_ && reader_->has_counted(); }

  void emit(MetricBuilder& metrics) {
    metrics.emit(kAvailable, reader_ && reader_->covers_all() ? 1 : 0);
    if (!has_counted()) return;
    metrics.emit(kTotal, as_sample(reader_->firings()));
    emit_destinations(metrics);
    metrics.emit(kLost, as_sample(reader_->lost()));
    counts_.end_round();
  }

  void emit_destinations(MetricBuilder& metrics) const {
    for (const FailureCounts::Entry& entry : counts_.entries()) {
      const ConnectTuple& tuple = entry.subject.tuple;
      metrics.emit(kByDestination, as_sample(entry.count),
                   {entry.subject.netns, to_string(tuple.local), to_string(tuple.remote),
                    std::to_string(tuple.remote_port), entry.subject.process});
    }
    metrics.emit(kByDestination, as_sample(counts_.other()), {"", "", kOtherDestinations, "", ""});
  }

  Kernel& kernel_;
  std::optional<TracepointReader> reader_;  ///< once the tracepoint has been found
  parse::ConnectFailureLayout layout_;      ///< of its records
  std::optional<Error> not_found_;          ///< why it has not
  SteadyTime looked_at_;
  TaskReader tasks_;
  FailureCounts counts_;
  Result<void> taken_;  ///< what was wrong with the events since the last poll
};

CollectorFactory configure(config::OptionReader& options) {
  const auto max_destinations = static_cast<std::size_t>(
      options.integer("max_destinations", /*fallback=*/256, /*least=*/1, /*most=*/10'000));
  return [max_destinations](const CollectorContext& context) {
    return std::make_unique<ConnectFailuresCollector>(context.kernel, max_destinations);
  };
}

}  // namespace

extern const CollectorEntry connect_failures_collector{
    .name = "connect_failures",
    .help =
        "connect() calls that found no free port, which no counter of the kernel shows, by "
        "destination and process.",
    .privilege = "CAP_PERFMON, and a tracefs that it may read: root or CAP_DAC_READ_SEARCH",
    .enabled_by_default = true,
    .metrics = [] { return std::span<const MetricDescription>(kMetrics); },
    .configure = configure,
};

}  // namespace timewait
