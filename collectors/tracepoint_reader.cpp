#include "collectors/tracepoint_reader.h"

#include <linux/capability.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "collectors/parse/cpu_list.h"
#include "collectors/parse/process.h"
#include "collectors/parse/sysctl.h"

namespace timewait {

namespace {

constexpr std::string_view kOnline = "devices/system/cpu/online";
// Seldom enough to be no disturbance, often enough that a CPU which came back is not missed long.
constexpr std::chrono::minutes kLongestSilence{1};

Result<std::vector<std::uint32_t>> read_online_cpus(Kernel& kernel) {
  return kernel.read_sys(kOnline).and_then([](const std::string& text) {
    return parse::parse_cpu_list(text).map_error(from_source("/sys/" + std::string(kOnline)));
  });
}

bool has_capability(std::uint64_t capabilities, unsigned number) {
  return (capabilities >> number & 1U) != 0;
}

/// Why the kernel refuses events of all processes on a CPU: perf_event_open(2) and
/// Documentation/admin-guide/perf-security.rst. That a level above 2 asks for CAP_SYS_ADMIN is a
/// patch of Debian, Ubuntu and others.
std::string read_reason_of_refusal(Kernel& kernel) {
  const auto status = kernel.read_proc("self/status").and_then([](const std::string& text) {
    return parse::parse_process_status(text);
  });
  const auto levels =
      kernel.read_proc("sys/kernel/perf_event_paranoid").and_then([](const std::string& text) {
        return parse::parse_sysctl_numbers(text);
      });
  if (!status || !levels) return "needs CAP_PERFMON";
  const std::int64_t level = levels->front();
  const std::string setting = "kernel.perf_event_paranoid is " + std::to_string(level);
  const bool is_administrator = has_capability(status->effective_capabilities, CAP_SYS_ADMIN);
  const bool may_monitor = has_capability(status->effective_capabilities, CAP_PERFMON);
  if (!is_administrator && !may_monitor) {
    return setting + " and the process has neither CAP_PERFMON (since Linux 5.8) nor CAP_SYS_ADMIN";
  }
  if (!is_administrator && level > 2) {
    return setting + ", for which this kernel asks for CAP_SYS_ADMIN: " +
           "`sysctl kernel.perf_event_paranoid=2` lets CAP_PERFMON do";
  }
  return std::string("the process has ") + (is_administrator ? "CAP_SYS_ADMIN" : "CAP_PERFMON") +
         ", so a security policy (seccomp, SELinux) or a user namespace refuses";
}

/// Whether an event did not count for most of that time: its CPU was offline. The kernel's clock of
/// events is not the one that has passed: NTP may bend that by a tenth, and a poll may be held up
/// between its look at the clock and the count.
bool has_paused(std::chrono::nanoseconds counted, std::chrono::nanoseconds passed) {
  constexpr std::chrono::seconds kSlack{1};
  return counted + kSlack < passed / 2;
}

void keep_first(Result<void>& first, Result<void> next) {
  if (first) first = std::move(next);
}

}  // namespace

TracepointReader::TracepointReader(Kernel& kernel, Tracepoint tracepoint, std::string name)
    : kernel_(kernel),
      tracepoint_(std::move(tracepoint)),
      source_("perf event " + std::move(name)) {}

Result<void> TracepointReader::follow_cpus(SteadyTime now, const OnSample& on_sample) {
  const auto online = read_online_cpus(kernel_);
  if (!online) {
    covers_all_ = false;
    return tl::make_unexpected(online.error());
  }
  Result<void> result = close_gone(*online, on_sample);
  keep_first(result, open_new(now, *online));
  covers_all_ = cpus_.size() == online->size();
  descriptors_.clear();
  for (const auto& [number, cpu] : cpus_) {
    if (cpu.event->descriptor() >= 0) descriptors_.push_back(cpu.event->descriptor());
  }
  return result;
}

Result<void> TracepointReader::close_gone(const std::vector<std::uint32_t>& online,
                                          const OnSample& on_sample) {
  Result<void> result;
  for (auto cpu = cpus_.begin(); cpu != cpus_.end();) {
    if (!cpu->second.is_dead && std::ranges::binary_search(online, cpu->first)) {
      ++cpu;
      continue;
    }
    keep_first(result, retire(cpu->second, on_sample));
    cpu = cpus_.erase(cpu);
  }
  return result;
}

/// What is in the buffer stays there when its CPU goes.
Result<void> TracepointReader::retire(Cpu& cpu, const OnSample& on_sample) {
  Result<void> result = take_samples_of(cpu, on_sample);
  const auto count = cpu.event->read_count();
  if (count) {
    cpu.count = *count;
  } else {
    keep_first(result, tl::make_unexpected(count.error()));
  }
  // Nothing is under way any more: what is missing now will not come.
  firings_of_gone_ += cpu.firings();
  lost_of_gone_ += cpu.firings() - cpu.taken;
  return result;
}

Result<void> TracepointReader::open_new(SteadyTime now, const std::vector<std::uint32_t>& online) {
  Result<void> result;
  for (const std::uint32_t number : online) {
    if (cpus_.contains(number)) continue;
    auto event = kernel_.open_tracepoint(tracepoint_, number);
    if (!event) {
      Error error = error_on(number, event.error());
      const ErrorReason reason = error.reason;
      if (result && reason == ErrorReason::kPermission) {
        error.detail += " (" + read_reason_of_refusal(kernel_) + ")";
      }
      keep_first(result, tl::make_unexpected(std::move(error)));
      // The next CPU would fare no better, and to close the only event of a tracepoint makes the
      // kernel wait for all of them (perf_trace_event_unreg).
      if (cpus_.empty() && reason != ErrorReason::kUnavailable) break;
      continue;
    }
    has_counted_ = true;
    Cpu& cpu = cpus_[number];
    cpu.event = *std::move(event);
    cpu.counted_at = now;
  }
  return result;
}

Error TracepointReader::error_on(std::uint32_t number, const Error& error) const {
  return {error.reason, source_, "CPU " + std::to_string(number) + ": " + error.detail};
}

Result<void> TracepointReader::take_samples(const OnSample& on_sample) {
  Result<void> result;
  for (auto& [number, cpu] : cpus_) keep_first(result, take_samples_of(cpu, on_sample));
  return result;
}

Result<void> TracepointReader::take_samples_of(Cpu& cpu, const OnSample& on_sample) const {
  Result<void> result;
  cpu.event->take_records([&](std::span<const std::byte> records) {
    cpu.has_news = true;
    keep_first(result, parse::parse_perf_records(records, [&](const parse::PerfSample& sample) {
                 auto taken = on_sample(sample);
                 if (taken) ++cpu.taken;
                 cpu.last_sampled = std::max(cpu.last_sampled, sample.firing);
                 keep_first(result, std::move(taken));
               }));
  });
  // Everything up to here has been sampled by now, or has not been. The kernel does not pause
  // between the count and the sample of a firing.
  const std::uint64_t settled = std::max(cpu.last_sampled, cpu.count.firings);
  if (settled > cpu.accounted_for()) cpu.lost = settled - cpu.taken;
  return result.map_error(from_source(source_));
}

Result<void> TracepointReader::count(SteadyTime now) {
  Result<void> result;
  for (auto& [number, cpu] : cpus_) {
    const bool is_overdue = now - cpu.counted_at >= kLongestSilence;
    if (cpu.has_news || is_overdue) keep_first(result, count_on(number, cpu, now));
    if (cpu.is_dead) covers_all_ = false;
  }
  return result;
}

Result<void> TracepointReader::count_on(std::uint32_t number, Cpu& cpu, SteadyTime now) const {
  const auto count = cpu.event->read_count();
  if (!count) return tl::make_unexpected(error_on(number, count.error()));
  cpu.is_dead = has_paused(count->enabled - cpu.count.enabled, now - cpu.counted_at);
  cpu.count = *count;
  cpu.counted_at = now;
  cpu.has_news = count->firings > cpu.accounted_for();
  if (!cpu.is_dead) return {};
  return tl::make_unexpected(
      error_on(number, {ErrorReason::kInterrupted,
                        {},
                        "was offline between two polls, and its event with it: what has fired "
                        "there since was not counted"}));
}

std::uint64_t TracepointReader::firings() const {
  std::uint64_t sum = firings_of_gone_;
  for (const auto& [number, cpu] : cpus_) sum += cpu.firings();
  return sum;
}

std::uint64_t TracepointReader::lost() const {
  std::uint64_t sum = lost_of_gone_;
  for (const auto& [number, cpu] : cpus_) sum += cpu.lost;
  return sum;
}

}  // namespace timewait
