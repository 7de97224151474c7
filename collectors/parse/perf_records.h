#pragma once

#include <linux/perf_event.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "collectors/error.h"

namespace timewait::parse {

/// What an event that samples has to ask for in perf_event_attr, so that its samples are what
/// parse_perf_records reads.
inline constexpr std::uint64_t kPerfSampleType =
    PERF_SAMPLE_TID | PERF_SAMPLE_READ | PERF_SAMPLE_RAW;
inline constexpr std::uint64_t kPerfReadFormat = PERF_FORMAT_TOTAL_TIME_ENABLED;

/// One firing of a tracepoint.
struct PerfSample {
  std::uint32_t process = 0;  ///< the thread group's id; 0 where it is outside the PID namespace
  std::uint32_t thread = 0;
  std::uint64_t firing = 0;        ///< its number: the event's count, this one included
  std::span<const std::byte> raw;  ///< the tracepoint's record, perhaps with padding behind it
};

/// The next record at the head of `bytes`, header included; an error where header or length do not
/// fit into the buffer.
Result<std::span<const std::byte>> parse_perf_record(std::span<const std::byte> bytes);

/// The sample in a whole record; nothing where the record is of another type. Samples that were
/// lost show by the gap in the numbers of firings.
Result<std::optional<PerfSample>> parse_perf_sample(std::span<const std::byte> record);

/// Walks records as they stand in a perf ring buffer (perf_event_open(2), "MMAP layout"; written by
/// perf_output_sample, kernel/events/core.c) and calls `on_sample(const PerfSample&)` for each
/// sample. A broken record ends the walk: where the next one begins cannot be told any more.
template <class OnSample>
Result<void> parse_perf_records(std::span<const std::byte> bytes, OnSample&& on_sample) {
  while (!bytes.empty()) {
    const auto record = parse_perf_record(bytes);
    if (!record) return tl::make_unexpected(record.error());
    const auto sample = parse_perf_sample(*record);
    if (!sample) return tl::make_unexpected(sample.error());
    if (*sample) on_sample(std::as_const(**sample));
    bytes = bytes.subspan(record->size());
  }
  return {};
}

}  // namespace timewait::parse
