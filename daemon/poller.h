#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "config/value.h"
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/poll_status.h"
#include "daemon/schedule.h"
#include "daemon/service_manager.h"
#include "daemon/snapshot.h"
#include "daemon/snapshot_builder.h"
#include "daemon/wakeup.h"

namespace timewait {

/// A collector with how often it is polled.
struct PolledCollector {
  std::string_view name;
  std::unique_ptr<Collector> collector;
  std::chrono::milliseconds interval;
  /// The share of one core that its polls may take; absent: any.
  std::optional<double> cpu_budget_ratio{};
  /// What it was made from: one of the same name and options may stand for another.
  config::Value options{};
};

/// Polls every collector at its fixed interval and publishes a snapshot after each round. One with
/// a CPU budget leaves deadlines out after a poll that was too dear: until the next one begins at
/// least the poll's CPU time divided by the budget has passed.
///
/// Between polls it takes the events of collectors that have some, as soon as they come, and gives
/// that half a percent of a core: what fifteen seconds come to may be spent at once, and then
/// events wait. What they come to is published with the next poll.
///
/// A collector that fails publishes nothing of that poll and hides no other; what failed is counted
/// by reason and logged when it changes. Between its polls a collector's last figures stay.
///
/// The service manager's watchdog is fed by each turn of the polling loop and each collector's
/// poll, so it bites where the kernel does not come back.
///
/// Threads: all calls come from one thread, but for `post`; the snapshot store is shared.
class Poller {
 public:
  /// At least one collector, all due at once. The references outlive the poller.
  Poller(std::vector<PolledCollector> collectors, std::string telemetry_path, const Clock& clock,
         const Log& log, SnapshotStore& store, const ServiceManager& manager);

  /// Goes on with these collectors, and publishes. One that is there already with the same options
  /// stays, with all it remembers; with other options the new one takes its place and what it has
  /// counted. What is new, or has another interval or budget, is due at once.
  void reconfigure(std::vector<PolledCollector> collectors, std::string telemetry_path);

  /// Publishes that the configuration was read again and was no good.
  void note_bad_config();

  /// Has `run` call the task between two polls. From any thread.
  void post(std::function<void()> task);

  /// Polls the collectors that are due, if any, and publishes.
  void poll_due();

  /// When the next collector is due.
  SteadyTime next_deadline() const;

  /// Takes the events that have come, of the collectors whose share of CPU time allows it.
  void take_events();

  /// Polls at each deadline, and takes events as they come, until a stop is requested; a poll under
  /// way is finished first. Once.
  void run(const std::stop_token& stop);

  /// True if every collector's last poll succeeded.
  bool all_succeeded() const;

 private:
  struct Entry {
    PolledCollector polled;
    Schedule schedule;
    CollectorStatus status;
    MetricFamilies families;
    std::vector<Advice> advice;
    std::string logged_error;  ///< what failed, as it was last logged
    std::string logged_notice;
    std::set<std::string_view> logged_advice;  ///< the rules
    bool logged_stretched = false;
    unsigned polls_at_interval = 0;  ///< in a row, the last ones
    SteadyTime events_paid_until;    ///< by the share of CPU time that is theirs
  };

  Entry make_entry(PolledCollector polled, SteadyTime due) const;
  SteadyTime last_deadline(SteadyTime now, std::chrono::milliseconds interval) const;
  void update(Entry& entry, PolledCollector polled, SteadyTime now);
  void run_posted();
  /// Feeds the watchdog, where it is time to.
  void show_alive();
  /// Sleeps until something is to be done.
  Wakeup::Cause wait() const;
  /// False if nothing was due.
  bool poll_all_due();
  void poll(Entry& entry);
  /// When its events may be taken again.
  static SteadyTime events_from(const Entry& entry);
  void keep_budget(Entry& entry, SteadyTime began, std::chrono::nanoseconds cpu);
  void record_outcome(Entry& entry, std::vector<Error> errors);
  void log_errors(Entry& entry, const std::vector<Error>& errors);
  void log_notices(Entry& entry, const std::vector<Error>& notices);
  void log_interval(Entry& entry, std::chrono::nanoseconds cpu);
  void log_advice(Entry& entry, const std::vector<Advice>& advice);
  void publish();
  void tell_summary();

  std::vector<Entry> entries_;
  std::string telemetry_path_;
  const Clock& clock_;
  const Log& log_;
  SnapshotStore& store_;
  const ServiceManager& manager_;
  const SteadyTime start_;
  SteadyTime alive_next_ = SteadyTime::max();  ///< when the watchdog is to be fed
  SnapshotBuilder builder_;
  std::string told_summary_;  ///< to the service manager
  Wakeup wakeup_;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  PollStatus status_;
  /// Of the last round: what a budgeted poll brings about is part of its cost.
  std::chrono::nanoseconds publishing_cpu_{};
  std::chrono::nanoseconds cpu_accounted_for_{};  ///< of the thread, by a poll or by events
};

}  // namespace timewait
