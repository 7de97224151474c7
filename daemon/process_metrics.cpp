#include "daemon/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "collectors/parse/text.h"
#include "daemon/kernel/files.h"

namespace timewait {

namespace {

constexpr MetricDescription kCpu{"process_cpu_seconds_total", MetricType::kCounter,
                                 "Total user and system CPU time spent in seconds."};
constexpr MetricDescription kOpenFds{"process_open_fds", MetricType::kGauge,
                                     "Number of open file descriptors."};
constexpr MetricDescription kMaxFds{"process_max_fds", MetricType::kGauge,
                                    "Maximum number of open file descriptors."};
constexpr MetricDescription kVirtual{"process_virtual_memory_bytes", MetricType::kGauge,
                                     "Virtual memory size in bytes."};
constexpr MetricDescription kResident{"process_resident_memory_bytes", MetricType::kGauge,
                                      "Resident memory size in bytes."};
constexpr MetricDescription kStart{"process_start_time_seconds", MetricType::kGauge,
                                   "Start time of the process since unix epoch in seconds."};

constexpr std::array kMetrics{kCpu, kOpenFds, kMaxFds, kVirtual, kResident, kStart};

// Numbers of fields in proc(5), counted from the state, which is field 3.
constexpr std::size_t kState = 3;
constexpr std::size_t kUserTime = 14 - kState;
constexpr std::size_t kSystemTime = 15 - kState;
constexpr std::size_t kStartTime = 22 - kState;
constexpr std::size_t kVirtualSize = 23 - kState;
constexpr std::size_t kResidentSet = 24 - kState;

// /proc/stat has a line for each CPU and a number for each interrupt.
constexpr std::size_t kMaxOwnFile = std::size_t{4} << 20U;

Result<std::string> read_own_proc(std::string_view path) {
  const KernelFiles files("/proc", {});
  return gather_text(files.proc_path(path), kMaxOwnFile, [&](const Kernel::OnChunk& on_chunk) {
    return files.stream_proc(path, on_chunk);
  });
}

std::optional<std::size_t> count_open_fds() {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++count;
  }
  if (error || count == 0) return std::nullopt;
  return count - 1;  // the directory itself was open while it was counted
}

void emit_stat(const ProcessStat& stat, MetricBuilder& metrics) {
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  metrics.emit(kCpu, as_sample(stat.cpu_ticks) / ticks_per_second);
  metrics.emit(kVirtual, as_sample(stat.virtual_bytes));
  metrics.emit(kResident,
               as_sample(stat.resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  const auto boot_time =
      read_own_proc("stat").map([](const std::string& text) { return parse_boot_time(text); });
  if (boot_time && *boot_time) {
    metrics.emit(kStart, as_sample(**boot_time) + as_sample(stat.start_ticks) / ticks_per_second);
  }
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(name_end + 1);
  ProcessStat stat;
  for (std::size_t field = 0; field <= kResidentSet; ++field) {
    const std::string_view word = parse::next_word(rest);
    if (field != kUserTime && field != kSystemTime && field < kStartTime) continue;
    const auto value = parse::parse_number<std::uint64_t>(word);
    if (!value) return std::nullopt;
    if (field == kUserTime || field == kSystemTime) stat.cpu_ticks += *value;
    if (field == kStartTime) stat.start_ticks = *value;
    if (field == kVirtualSize) stat.virtual_bytes = *value;
    if (field == kResidentSet) stat.resident_pages = *value;
  }
  return stat;
}

std::optional<std::uint64_t> parse_boot_time(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = parse::next_line(text);
    if (parse::next_word(line) == "btime") {
      return parse::parse_number<std::uint64_t>(parse::next_word(line));
    }
  }
  return std::nullopt;
}

void emit_process_metrics(MetricBuilder& metrics) {
  const auto stat = read_own_proc("self/stat").map([](const std::string& text) {
    return parse_process_stat(text);
  });
  if (stat && *stat) emit_stat(**stat, metrics);
  if (const auto open_fds = count_open_fds()) metrics.emit(kOpenFds, as_sample(*open_fds));
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) metrics.emit(kMaxFds, as_sample(limit.rlim_cur));
}

std::span<const MetricDescription> process_metrics() { return kMetrics; }

}  // namespace timewait
