#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/parse/perf_records.h"

namespace timewait {

/// Counts and samples one tracepoint on all CPUs that are online, whichever come and go.
///
/// Exact: the firings are counted by the kernel, whether there was room for their samples or not,
/// and what had been counted on a CPU that has gone stays in the sum. Each sample holds the number
/// of its firing on its CPU, so a gap before it says what was lost. What was counted after the last
/// sample of all, and has no sample by the next time, is lost as well.
///
/// Not counted is what happens on a CPU before the poll that finds it online.
///
/// Quiet: a CPU is asked for its count, which costs it an interrupt, only after it has sampled
/// something, and every minute to see whether its event is still alive: it does not come back with
/// a CPU that was offline between two polls.
class TracepointReader {
 public:
  /// `name` is for messages, as perf writes it: `sock:inet_sock_set_state`.
  TracepointReader(Kernel& kernel, Tracepoint tracepoint, std::string name);

  /// An error where the sample makes no sense: it counts as lost then.
  using OnSample = std::function<Result<void>(const parse::PerfSample&)>;

  /// Opens what has come online since the last call and closes what has gone, with its last samples
  /// going to `on_sample`. The first error, where a CPU that is online could not be opened: the
  /// others are counted all the same.
  Result<void> follow_cpus(SteadyTime now, const OnSample& on_sample);

  /// Hands over the samples since the last call. The first error, where a sample makes no sense or
  /// a buffer holds what the kernel does not write there.
  Result<void> take_samples(const OnSample& on_sample);

  /// After take_samples: brings the counts up to date. The first error, where a CPU could not be
  /// asked or was offline unnoticed; follow_cpus opens that one anew.
  Result<void> count(SteadyTime now);

  /// As of the last `count`, and never falling.
  std::uint64_t firings() const;
  std::uint64_t lost() const;

  /// Whether every CPU that is online is counted, as far as is known.
  bool covers_all() const { return covers_all_; }

  /// Whether any CPU has ever been counted: else there is nothing to say, not even 0.
  bool has_counted() const { return has_counted_; }

  /// One for each CPU that is counted; readable when it has samples. Good until follow_cpus.
  std::span<const int> descriptors() const { return descriptors_; }

 private:
  struct Cpu {
    std::unique_ptr<PerfEvent> event;
    SteadyTime counted_at;
    PerfEvent::Count count;
    std::uint64_t last_sampled = 0;  ///< the number of its firing
    std::uint64_t taken = 0;         ///< samples
    std::uint64_t lost = 0;
    bool has_news = false;  ///< samples since the last count, or one that is missing
    bool is_dead = false;   ///< the CPU was offline meanwhile

    /// Firings with a sample, and those that are known to have none.
    std::uint64_t accounted_for() const { return taken + lost; }
    std::uint64_t firings() const { return std::max(count.firings, accounted_for()); }
  };
  using Cpus = std::map<std::uint32_t, Cpu>;

  Result<void> close_gone(const std::vector<std::uint32_t>& online, const OnSample& on_sample);
  Result<void> retire(Cpu& cpu, const OnSample& on_sample);
  Result<void> open_new(SteadyTime now, const std::vector<std::uint32_t>& online);
  Result<void> take_samples_of(Cpu& cpu, const OnSample& on_sample) const;
  Result<void> count_on(std::uint32_t number, Cpu& cpu, SteadyTime now) const;
  Error error_on(std::uint32_t number, const Error& error) const;

  Kernel& kernel_;
  Tracepoint tracepoint_;
  std::string source_;
  Cpus cpus_;
  std::vector<int> descriptors_;
  bool covers_all_ = false;
  bool has_counted_ = false;
  std::uint64_t firings_of_gone_ = 0;
  std::uint64_t lost_of_gone_ = 0;
};

}  // namespace timewait
