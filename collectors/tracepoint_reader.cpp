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
  const std::uint64_t held = status->effective_capabilities;
  if (has_capability(held, CAP_SYS_ADMIN)) {
    return "the process has CAP_SYS_ADMIN, so a security policy (seccomp, lockdown) or a user "
           "namespace refuses";
  }
  if (!has_capability(held, CAP_PERFMON)) {
    return setting + " and the process has neither CAP_PERFMON (since Linux 5.8) nor CAP_SYS_ADMIN";
  }
  if (level > 2) {
    return setting + ", for which this kernel asks for CAP_SYS_ADMIN: " +
           "`sysctl kernel.perf_event_paranoid=2` lets CAP_PERFMON do";
  }
  return "the process has CAP_PERFMON, so a security policy (seccomp, lockdown) refuses, or the "
         "kernel is older than 5.8 and wants CAP_SYS_ADMIN";
}

}  // namespace

TracepointReader::TracepointReader(Kernel& kernel, Tracepoint tracepoint, std::string name)
    : kernel_(kernel), tracepoint_(std::move(tracepoint)), name_(std::move(name)) {}

Result<void> TracepointReader::follow_cpus(SteadyTime now, const OnSample& on_sample) {
  const auto online = read_online_cpus(kernel_);
  if (!online) {
    covers_all_ = false;
    return tl::make_unexpected(online.error());
  }
  close_gone(*online, on_sample);
  auto opened = open_new(now, *online);
  covers_all_ = cpus_.size() == online->size();
  descriptors_.clear();
  for (const Cpu& cpu : cpus_) {
    if (cpu.event->descriptor() >= 0) descriptors_.push_back(cpu.event->descriptor());
  }
  return opened;
}

void TracepointReader::close_gone(const std::vector<std::uint32_t>& online,
                                  const OnSample& on_sample) {
  std::erase_if(cpus_, [&](Cpu& cpu) {
    if (!cpu.is_dead && std::ranges::binary_search(online, cpu.number)) return false;
    // What is in the buffer stays there when the CPU goes. Nothing is under way any more, so that
    // what is missing now will not come.
    static_cast<void>(take_samples_of(cpu, on_sample));
    const auto count = cpu.event->read_count();
    const std::uint64_t firings = std::max(count ? count->firings : cpu.count.firings, cpu.taken);
    firings_of_gone_ += firings;
    lost_of_gone_ += firings - cpu.taken;
    return true;
  });
}

Result<void> TracepointReader::open_new(SteadyTime now, const std::vector<std::uint32_t>& online) {
  Result<void> result;
  for (const std::uint32_t number : online) {
    if (std::ranges::find(cpus_, number, &Cpu::number) != cpus_.end()) continue;
    auto event = kernel_.open_tracepoint(tracepoint_, number);
    if (event) {
      has_counted_ = true;
      cpus_.push_back({number, *std::move(event), now, {}});
    } else if (result) {
      result = tl::make_unexpected(explained(event.error(), number));
    }
  }
  return result;
}

Error TracepointReader::explained(Error error, std::uint32_t cpu) const {
  error.source = "perf event " + name_;
  error.detail = "CPU " + std::to_string(cpu) + ": " + error.detail;
  if (error.reason == ErrorReason::kPermission) {
    error.detail += " (" + read_reason_of_refusal(kernel_) + ")";
  }
  return error;
}

Result<void> TracepointReader::take_samples(const OnSample& on_sample) {
  Result<void> result;
  for (Cpu& cpu : cpus_) {
    auto taken = take_samples_of(cpu, on_sample);
    if (!taken && result) result = std::move(taken);
  }
  return result;
}

Result<void> TracepointReader::take_samples_of(Cpu& cpu, const OnSample& on_sample) const {
  Result<void> result;
  cpu.event->take_records([&](std::span<const std::byte> records) {
    cpu.has_news = true;
    auto parsed = parse::parse_perf_records(records, [&](const parse::PerfSample& sample) {
      auto taken = on_sample(sample);
      if (taken) ++cpu.taken;
      if (result) result = std::move(taken);
    });
    if (result) result = std::move(parsed);
  });
  return result.map_error(from_source("perf event " + name_));
}

Result<void> TracepointReader::count(SteadyTime now) {
  Result<void> result;
  for (Cpu& cpu : cpus_) {
    // A sample whose firing had been counted by the last time, and which is not here yet, will not
    // come: between the one and the other the kernel does not pause.
    if (cpu.count.firings > cpu.taken + cpu.lost) cpu.lost = cpu.count.firings - cpu.taken;
    if (!cpu.has_news && now - cpu.counted_at < kLongestSilence) continue;
    auto counted = count_on(cpu, now);
    covers_all_ = covers_all_ && !cpu.is_dead;
    if (!counted && result) result = tl::make_unexpected(explained(counted.error(), cpu.number));
  }
  return result;
}

Result<void> TracepointReader::count_on(Cpu& cpu, SteadyTime now) {
  const auto count = cpu.event->read_count();
  if (!count) return tl::make_unexpected(count.error());
  cpu.is_dead = now > cpu.counted_at && count->enabled <= cpu.count.enabled;
  cpu.count = *count;
  cpu.counted_at = now;
  cpu.has_news = count->firings != cpu.taken + cpu.lost;
  return {};
}

std::uint64_t TracepointReader::firings() const {
  std::uint64_t sum = firings_of_gone_;
  for (const Cpu& cpu : cpus_) sum += std::max(cpu.count.firings, cpu.taken);
  return sum;
}

std::uint64_t TracepointReader::lost() const {
  std::uint64_t sum = lost_of_gone_;
  for (const Cpu& cpu : cpus_) sum += cpu.lost;
  return sum;
}

}  // namespace timewait
