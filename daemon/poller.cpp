#include "daemon/poller.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "daemon/snapshot_builder.h"

namespace timewait {

namespace {

/// What fails and why, without the details that may differ from poll to poll.
std::string identify(const std::vector<Error>& errors) {
  std::string identity;
  for (const Error& error : errors) {
    identity.append(to_string(error.reason)).append(" ").append(error.source).append("\n");
  }
  return identity;
}

}  // namespace

Poller::Poller(std::vector<PolledCollector> collectors, std::string telemetry_path,
               const Clock& clock, const Log& log, SnapshotStore& store)
    : telemetry_path_(std::move(telemetry_path)), clock_(clock), log_(log), store_(store) {
  const SteadyTime start = clock.now();
  status_.config_load_time = clock.wall_seconds();
  for (PolledCollector& polled : collectors) {
    CollectorStatus status;
    status.name = polled.name;
    status.interval = polled.interval;
    const Schedule schedule(start, polled.interval);
    entries_.push_back({std::move(polled), schedule, std::move(status), {}, {}, {}});
  }
}

SteadyTime Poller::next_deadline() const {
  SteadyTime next = SteadyTime::max();
  for (const Entry& entry : entries_) next = std::min(next, entry.schedule.next());
  return next;
}

bool Poller::all_succeeded() const {
  return std::ranges::all_of(entries_, [](const Entry& entry) { return entry.status.success; });
}

void Poller::poll_due() {
  const SteadyTime now = clock_.now();
  bool polled = false;
  for (Entry& entry : entries_) {
    if (!entry.schedule.is_due(now)) continue;
    poll(entry);
    polled = true;
  }
  if (!polled) return;
  // Counted from the round's end: what fell due while it was under way has been missed.
  const SteadyTime end = clock_.now();
  std::uint64_t missed = 0;
  for (Entry& entry : entries_) {
    if (entry.schedule.is_due(now)) missed = std::max(missed, entry.schedule.advance(end));
  }
  status_.overruns += missed;
  ++status_.polls;
  publish();
}

void Poller::poll(Entry& entry) {
  const SteadyTime start = clock_.now();
  const std::chrono::nanoseconds cpu_before = clock_.thread_cpu();
  CollectorOutput output;
  const Result<void> result = entry.polled.collector->collect(start, output);
  entry.status.cpu += clock_.thread_cpu() - cpu_before;
  entry.status.duration = clock_.now() - start;

  std::vector<Error> errors = output.errors();
  if (!result) errors.push_back(result.error());
  entry.families = result ? output.metrics.take() : MetricFamilies{};
  if (result) log_notices(entry, output.notices());
  record_outcome(entry, std::move(errors));
}

void Poller::record_outcome(Entry& entry, std::vector<Error> errors) {
  for (const Error& error : errors) {
    ++entry.status.errors[static_cast<std::size_t>(error.reason)];
  }
  entry.status.success = errors.empty();
  entry.status.last_error = errors.empty() ? std::string() : errors.front().text();
  if (errors.empty()) entry.status.last_success = clock_.wall_seconds();
  log_errors(entry, errors);
}

void Poller::log_errors(Entry& entry, const std::vector<Error>& errors) {
  std::string identity = identify(errors);
  if (identity == entry.logged_error) return;
  for (const Error& error : errors) {
    log_.warn("collector failed", {{"collector", std::string(entry.status.name)},
                                   {"reason", std::string(to_string(error.reason))},
                                   {"err", error.text()}});
  }
  if (errors.empty()) {
    log_.info("collector recovered", {{"collector", std::string(entry.status.name)}});
  }
  entry.logged_error = std::move(identity);
}

void Poller::log_notices(Entry& entry, const std::vector<Error>& notices) {
  std::string identity = identify(notices);
  if (identity == entry.logged_notice) return;
  for (const Error& notice : notices) {
    log_.warn("collector goes on in another way",
              {{"collector", std::string(entry.status.name)}, {"why", notice.text()}});
  }
  if (notices.empty()) {
    log_.info("collector is back on its usual way",
              {{"collector", std::string(entry.status.name)}});
  }
  entry.logged_notice = std::move(identity);
}

void Poller::publish() {
  status_.snapshot_time = clock_.wall_seconds();
  status_.collectors.clear();
  std::vector<CollectorFamilies> families;
  for (const Entry& entry : entries_) {
    status_.collectors.push_back(entry.status);
    families.push_back({entry.status.name, &entry.families});
  }
  store_.publish(render_snapshot(clock_.now(), families, status_, telemetry_path_));
}

void Poller::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      const auto pause = next_deadline() - clock_.now();
      wake.wait_for(lock, stop, pause, [] { return false; });
    }
    if (!stop.stop_requested()) poll_due();
  }
}

}  // namespace timewait
