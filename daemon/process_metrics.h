#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "collectors/metric.h"

namespace timewait {

/// The fields of /proc/self/stat that the process_* metrics need (proc(5)).
struct ProcessStat {
  std::uint64_t cpu_ticks = 0;    ///< utime + stime
  std::uint64_t start_ticks = 0;  ///< since boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

/// The command's name stands in parentheses and may hold blanks and parentheses itself.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// The boot time in seconds since 1970, from the line `btime` of /proc/stat.
std::optional<std::uint64_t> parse_boot_time(std::string_view text);

/// The standard process_* metrics of this process, as Prometheus's client libraries publish them.
/// What cannot be read is left out.
void emit_process_metrics(MetricBuilder& metrics);

std::span<const MetricDescription> process_metrics();

}  // namespace timewait
