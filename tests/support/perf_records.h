#pragma once

#include <linux/perf_event.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace timewait::test {

inline void append_bytes(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

/// A perf record of that type with that payload.
inline std::string perf_record(std::uint32_t type, const std::string& payload) {
  const perf_event_header header{
      type, 0, static_cast<std::uint16_t>(sizeof(perf_event_header) + payload.size())};
  std::string record;
  append_bytes(record, &header, sizeof(header));
  return record + payload;
}

/// A sample of that firing with these raw data, as an event with parse::kPerfSampleType has it.
inline std::string perf_sample(std::uint32_t process, std::uint32_t thread, const std::string& raw,
                               std::uint64_t firing = 1) {
  const auto size = static_cast<std::uint32_t>(raw.size());
  const std::uint64_t enabled = 1'000'000;
  std::string payload;
  append_bytes(payload, &process, sizeof(process));
  append_bytes(payload, &thread, sizeof(thread));
  append_bytes(payload, &firing, sizeof(firing));
  append_bytes(payload, &enabled, sizeof(enabled));
  append_bytes(payload, &size, sizeof(size));
  return perf_record(PERF_RECORD_SAMPLE, payload + raw);
}

}  // namespace timewait::test
