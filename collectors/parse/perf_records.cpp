#include "collectors/parse/perf_records.h"

#include <string>

#include "collectors/parse/bytes.h"

namespace timewait::parse {

Result<std::span<const std::byte>> parse_perf_record(std::span<const std::byte> bytes) {
  const auto header = read_at<perf_event_header>(bytes, 0);
  if (!header) {
    return malformed("expected a perf record's header of " +
                     std::to_string(sizeof(perf_event_header)) + " bytes, found " +
                     std::to_string(bytes.size()));
  }
  if (header->size < sizeof(perf_event_header) || header->size > bytes.size()) {
    return malformed("perf record of length " + std::to_string(header->size) + " in " +
                     std::to_string(bytes.size()) + " bytes");
  }
  return bytes.first(header->size);
}

Result<std::optional<PerfSample>> parse_perf_sample(std::span<const std::byte> record) {
  // In the order of perf_output_sample(): the ids of process and thread, the count and the time for
  // which it has been enabled, the raw data's length, the raw data.
  constexpr std::size_t kProcess = sizeof(perf_event_header);
  constexpr std::size_t kThread = kProcess + sizeof(std::uint32_t);
  constexpr std::size_t kFiring = kThread + sizeof(std::uint32_t);
  constexpr std::size_t kRawSize = kFiring + 2 * sizeof(std::uint64_t);
  constexpr std::size_t kRaw = kRawSize + sizeof(std::uint32_t);

  const auto header = read_at<perf_event_header>(record, 0);
  if (!header || header->type != PERF_RECORD_SAMPLE) return std::nullopt;
  const auto process = read_at<std::uint32_t>(record, kProcess);
  const auto thread = read_at<std::uint32_t>(record, kThread);
  const auto firing = read_at<std::uint64_t>(record, kFiring);
  const auto raw_size = read_at<std::uint32_t>(record, kRawSize);
  if (!process || !thread || !firing || !raw_size || *raw_size > record.size() - kRaw) {
    return malformed("perf sample of " + std::to_string(record.size()) +
                     " bytes, too short for what it announces");
  }
  return PerfSample{*process, *thread, *firing, record.subspan(kRaw, *raw_size)};
}

}  // namespace timewait::parse
