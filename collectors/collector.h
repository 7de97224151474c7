#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/metric.h"
#include "collectors/steady_time.h"

namespace timewait::config {
class OptionReader;
}

namespace timewait {

/// How much an advice matters.
enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };

constexpr std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "unknown";
}

/// What the operator should know of the host for as long as it holds.
struct Advice {
  std::string_view rule;  ///< stays the same while the same advice holds; a literal
  Severity severity = Severity::kInfo;
  std::string evidence;  ///< in words, with the numbers of this poll
  std::string page;      ///< where the documentation says what to do
};

/// What one poll of one collector gives to the poller.
class CollectorOutput {
 public:
  MetricBuilder metrics;

  /// Part of the collector's sources failed: its series are absent, the others are right. Counted
  /// by reason, logged once per change, and the collector counts as failed.
  void report(Error error) { errors_.push_back(std::move(error)); }

  /// The figures come in another way than usual, which the operator should know of once (a slower
  /// source that shows less). Logged once per change, not an error.
  void notice(Error error) { notices_.push_back(std::move(error)); }

  /// This advice holds at the moment. Logged when it begins to, and when it is no longer given.
  void advise(Advice advice) { advice_.push_back(std::move(advice)); }

  const std::vector<Error>& errors() const { return errors_; }
  const std::vector<Error>& notices() const { return notices_; }
  const std::vector<Advice>& advice() const { return advice_; }

 private:
  std::vector<Error> errors_;
  std::vector<Error> notices_;
  std::vector<Advice> advice_;
};

/// One kernel source turned into metrics, for one network namespace. May keep state between polls;
/// set-up and tear-down are its constructor and destructor. Called from one thread.
class Collector {
 public:
  Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  Collector(Collector&&) = delete;
  Collector& operator=(Collector&&) = delete;
  virtual ~Collector() = default;

  /// Reads the kernel once and emits samples. On an error nothing that was emitted is published.
  /// `now` is for state that ages; it never goes back.
  virtual Result<void> collect(SteadyTime now, CollectorOutput& out) = 0;

  /// Before the first `collect`, for one that takes the place of `previous`, another of the same
  /// entry with other options, and is to go on with what that has counted. `previous` is not used
  /// afterwards.
  virtual void continue_from(Collector& /*previous*/) {}

  /// For a collector to which the kernel reports events by itself: descriptors that poll(2) finds
  /// readable when there are some. They stay the same until the next `collect`.
  virtual std::span<const int> event_descriptors() const { return {}; }

  /// Takes the events that have come, between two polls: their buffers are small, and what they
  /// refer to may be gone by the next poll. What they come to is emitted by `collect`.
  virtual void take_events() {}
};

struct Findings;

/// What a collector is made for: one network namespace. Both outlive the collector.
struct CollectorContext {
  Kernel& kernel;
  Findings& findings;
};

using CollectorFactory = std::function<std::unique_ptr<Collector>(const CollectorContext&)>;

/// What the registry, the command line, the documentation and the tests know of a collector.
struct CollectorEntry {
  std::string_view name;  ///< configuration key, flag, `collector` label, name of its golden files
  std::string_view help;  ///< one sentence, shown by --list-collectors
  std::string_view privilege;  ///< what it needs beyond an ordinary user, or "none"
  bool enabled_by_default = true;
  /// For a collector whose cost grows with the host's load: the share of one core that its polls
  /// may take, which the key `cpu_budget_ratio` changes. Absent: polled at its interval, whatever
  /// it costs, and without that key.
  std::optional<double> default_cpu_budget_ratio{};
  /// Every family that it may emit with the built-in configuration.
  std::span<const MetricDescription> (*metrics)();
  /// Takes the collector's own options, reporting bad ones through the reader. Touches no kernel.
  CollectorFactory (*configure)(config::OptionReader& options);
};

}  // namespace timewait
