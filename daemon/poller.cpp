#include "daemon/poller.h"

#include <algorithm>
#include <utility>

#include "config/duration.h"
#include "daemon/serializers.h"

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

/// How long it has to be until the next time for this one to take no more than that share of a
/// core. Bounded, so that no share is too small to reckon with.
std::chrono::nanoseconds compute_pause(std::chrono::nanoseconds cpu, double share) {
  constexpr std::chrono::duration<double> kLongest = std::chrono::hours{24 * 365};
  const std::chrono::duration<double> pause = cpu;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::min(pause / share, kLongest));
}

// The other twentieth of a CPU budget is for what else the daemon does, such as serving.
constexpr double kShareOfPolls = 0.95;

// Of one core, for the events of one collector between its polls. A process may end right after the
// call that it is asked about, so a burst after a quiet time is not to wait.
constexpr double kShareOfEvents = 0.005;
constexpr std::chrono::seconds kBurstOfEvents{15};

}  // namespace

Poller::Poller(std::vector<PolledCollector> collectors, std::string telemetry_path,
               const Clock& clock, const Log& log, SnapshotStore& store,
               const ServiceManager& manager)
    : telemetry_path_(std::move(telemetry_path)),
      clock_(clock),
      log_(log),
      store_(store),
      manager_(manager),
      start_(clock.now()) {
  status_.config_load_time = clock.wall_seconds();
  for (PolledCollector& polled : collectors) {
    entries_.push_back(make_entry(std::move(polled), start_));
  }
  if (manager.watchdog()) alive_next_ = start_;
}

Poller::Entry Poller::make_entry(PolledCollector polled, SteadyTime due) const {
  CollectorStatus status;
  status.name = polled.name;
  status.interval = polled.interval;
  const Schedule schedule(due, polled.interval);
  return {std::move(polled), schedule, std::move(status), {}, {}, {}, {}, {}, false, 0, due};
}

/// The last one that is not after `now`: all collectors keep to one grid, so that they meet.
SteadyTime Poller::last_deadline(SteadyTime now, std::chrono::milliseconds interval) const {
  return start_ + (now - start_) / interval * interval;
}

void Poller::reconfigure(std::vector<PolledCollector> collectors, std::string telemetry_path) {
  const SteadyTime now = clock_.now();
  std::vector<Entry> entries;
  for (PolledCollector& polled : collectors) {
    const auto known = std::ranges::find(entries_, polled.name,
                                         [](const Entry& entry) { return entry.status.name; });
    if (known == entries_.end()) {
      const SteadyTime due = last_deadline(now, polled.interval);
      entries.push_back(make_entry(std::move(polled), due));
    } else {
      update(*known, std::move(polled), now);
      entries.push_back(std::move(*known));
    }
  }
  entries_ = std::move(entries);
  telemetry_path_ = std::move(telemetry_path);
  status_.last_config_was_good = true;
  status_.config_load_time = clock_.wall_seconds();
  poll_all_due();
  publish();
}

void Poller::update(Entry& entry, PolledCollector polled, SteadyTime now) {
  PolledCollector& current = entry.polled;
  const bool is_other = !config::has_same_content(polled.options, current.options);
  const bool has_other_pace =
      polled.interval != current.interval || polled.cpu_budget_ratio != current.cpu_budget_ratio;
  if (is_other) {
    polled.collector->continue_from(*current.collector);
  } else {
    polled.collector = std::move(current.collector);
  }
  current = std::move(polled);
  if (!is_other && !has_other_pace) return;
  entry.schedule = Schedule(last_deadline(now, current.interval), current.interval);
  entry.status.interval = current.interval;
}

void Poller::note_bad_config() {
  status_.last_config_was_good = false;
  publish();
}

void Poller::post(std::function<void()> task) {
  {
    const std::scoped_lock lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  wakeup_.interrupt();
}

void Poller::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::scoped_lock lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
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
  if (poll_all_due()) publish();
}

bool Poller::poll_all_due() {
  const SteadyTime now = clock_.now();
  bool polled = false;
  for (Entry& entry : entries_) {
    if (!entry.schedule.is_due(now)) continue;
    poll(entry);
    polled = true;
  }
  if (!polled) return false;
  // Counted from the round's end: what fell due while it was under way has been missed.
  const SteadyTime end = clock_.now();
  std::uint64_t missed = 0;
  for (Entry& entry : entries_) {
    if (entry.schedule.is_due(now)) missed = std::max(missed, entry.schedule.advance(end));
  }
  status_.overruns += missed;
  ++status_.polls;
  return true;
}

void Poller::poll(Entry& entry) {
  const SteadyTime start = clock_.now();
  const std::chrono::nanoseconds cpu_before = clock_.thread_cpu();
  CollectorOutput output;
  const Result<void> result = entry.polled.collector->collect(start, output);
  const std::chrono::nanoseconds cpu = clock_.thread_cpu() - cpu_before;
  entry.status.cpu += cpu;
  entry.status.duration = clock_.now() - start;
  keep_budget(entry, start, cpu + publishing_cpu_);

  std::vector<Error> errors = output.errors();
  if (!result) errors.push_back(result.error());
  entry.families = result ? output.metrics.take() : MetricFamilies{};
  entry.advice = result ? output.advice() : std::vector<Advice>{};
  if (result) log_notices(entry, output.notices());
  if (result) log_advice(entry, output.advice());
  record_outcome(entry, std::move(errors));
  show_alive();
}

void Poller::keep_budget(Entry& entry, SteadyTime began, std::chrono::nanoseconds cpu) {
  if (!entry.polled.cpu_budget_ratio) return;
  entry.schedule.stretch(began, compute_pause(cpu, *entry.polled.cpu_budget_ratio * kShareOfPolls));
  entry.status.interval = entry.schedule.interval();
  log_interval(entry, cpu);
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

void Poller::log_interval(Entry& entry, std::chrono::nanoseconds cpu) {
  // A cost that wavers about the budget would be logged again and again, and so would a collector
  // with a dearer poll now and then: sock_diag's full looks.
  constexpr unsigned kPollsToBeBack = 20;
  const bool is_stretched = entry.status.interval > entry.polled.interval;
  entry.polls_at_interval = is_stretched ? 0 : entry.polls_at_interval + 1;
  if (is_stretched == entry.logged_stretched) return;
  if (!is_stretched && entry.polls_at_interval < kPollsToBeBack) return;
  const std::initializer_list<LogField> fields{
      {"collector", std::string(entry.status.name)},
      {"interval", config::to_string(entry.status.interval)},
      {"cpu_seconds", render_value(std::chrono::duration<double>(cpu).count())},
      {"cpu_budget_ratio", render_value(*entry.polled.cpu_budget_ratio)}};
  if (is_stretched) {
    log_.warn("collector is polled less often to stay within its CPU budget", fields);
  } else {
    log_.info("collector is polled at its configured interval again", fields);
  }
  entry.logged_stretched = is_stretched;
}

void Poller::log_advice(Entry& entry, const std::vector<Advice>& advice) {
  const std::string collector(entry.status.name);
  std::set<std::string_view> rules;
  for (const Advice& given : advice) {
    rules.insert(given.rule);
    if (entry.logged_advice.contains(given.rule)) continue;
    const auto write = given.severity == Severity::kInfo ? &Log::info : &Log::warn;
    (log_.*write)("advice", {{"collector", collector},
                             {"rule", std::string(given.rule)},
                             {"severity", std::string(to_string(given.severity))},
                             {"evidence", given.evidence},
                             {"page", given.page}});
  }
  for (const std::string_view rule : entry.logged_advice) {
    if (rules.contains(rule)) continue;
    log_.info("advice no longer holds", {{"collector", collector}, {"rule", std::string(rule)}});
  }
  entry.logged_advice = std::move(rules);
}

void Poller::publish() {
  const std::chrono::nanoseconds cpu_before = clock_.thread_cpu();
  status_.snapshot_time = clock_.wall_seconds();
  status_.collectors.clear();
  std::vector<CollectorFamilies> families;
  for (const Entry& entry : entries_) {
    status_.collectors.push_back(entry.status);
    families.push_back({entry.status.name, &entry.families, entry.advice});
  }
  store_.publish(builder_.build(clock_.now(), families, status_, telemetry_path_));
  tell_summary();
  cpu_accounted_for_ = clock_.thread_cpu();
  publishing_cpu_ = cpu_accounted_for_ - cpu_before;
}

void Poller::tell_summary() {
  std::string summary = render_summary(status_);
  if (summary == told_summary_) return;
  if (manager_.notify_status(summary)) told_summary_ = std::move(summary);
}

void Poller::show_alive() {
  const SteadyTime now = clock_.now();
  if (now < alive_next_) return;
  // A twentieth of its time where the manager has no room for it now.
  alive_next_ = now + *manager_.watchdog() / (manager_.notify_alive() ? 2 : 20);
}

SteadyTime Poller::events_from(const Entry& entry) {
  return entry.events_paid_until - kBurstOfEvents;
}

void Poller::take_events() {
  const SteadyTime now = clock_.now();
  for (Entry& entry : entries_) {
    if (entry.polled.collector->event_descriptors().empty() || now < events_from(entry)) continue;
    entry.polled.collector->take_events();
    // With the sleep before, which a flood makes short and as dear as the rest.
    const std::chrono::nanoseconds cpu = clock_.thread_cpu() - cpu_accounted_for_;
    cpu_accounted_for_ += cpu;
    entry.status.cpu += cpu;
    entry.events_paid_until =
        std::max(entry.events_paid_until, now) + compute_pause(cpu, kShareOfEvents);
  }
}

Wakeup::Cause Poller::wait() const {
  const SteadyTime now = clock_.now();
  SteadyTime until = std::min(next_deadline(), alive_next_);
  std::vector<int> descriptors;
  for (const Entry& entry : entries_) {
    const auto of_entry = entry.polled.collector->event_descriptors();
    if (of_entry.empty()) continue;
    if (now < events_from(entry)) {
      until = std::min(until, events_from(entry));
    } else {
      descriptors.insert(descriptors.end(), of_entry.begin(), of_entry.end());
    }
  }
  return wakeup_.wait(until - now, descriptors);
}

void Poller::run(const std::stop_token& stop) {
  const std::stop_callback interrupt(stop, [this] { wakeup_.interrupt(); });
  cpu_accounted_for_ = clock_.thread_cpu();  // the first poll was another thread's
  while (!stop.stop_requested()) {
    show_alive();
    const Wakeup::Cause cause = wait();
    if (stop.stop_requested()) return;
    if (cause == Wakeup::Cause::kReadable) take_events();
    run_posted();
    poll_due();
  }
}

}  // namespace timewait
