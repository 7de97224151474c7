// Input: three bytes that say where the fields of a failed connect stand in their record, then what
// a perf ring buffer holds.

#include <linux/perf_event.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "collectors/parse/connect_failure.h"
#include "collectors/parse/perf_records.h"
#include "daemon/kernel/fixture_kernel.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

bool lies_within(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_failure(const parse::ConnectFailureLayout& layout, std::span<const std::byte> raw) {
  const auto failure = parse::parse_connect_failure(layout, raw);
  if (!failure) return fuzz::check(failure.error());
  for (const Address& address : {failure->local, failure->remote}) {
    const std::string text = to_string(address);
    fuzz::require(!text.empty() && fuzz::is_printable(text), "an address prints");
    fuzz::require(!text.starts_with("::ffff:") || text.find('.') == std::string::npos,
                  "IPv4-mapped addresses are IPv4");
  }
}

/// A recording counts what it hands over.
void check_recording(std::span<const std::byte> bytes, std::size_t samples) {
  const auto event =
      make_recorded_event(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::size_t handed_over = 0;
  event->take_records([&](std::span<const std::byte> records) { handed_over += records.size(); });
  fuzz::require(handed_over == bytes.size(), "a recording is handed over whole");
  const auto count = event->read_count();
  fuzz::require(count && count->firings >= samples, "every sample has been counted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes input(data, size);
  parse::ConnectFailureLayout layout;
  layout.remote_port = fuzz::take_byte(input);
  layout.local = fuzz::take_byte(input);
  layout.remote = fuzz::take_byte(input);
  const auto bytes = std::as_bytes(input);

  std::size_t samples = 0;
  std::size_t parsed = 0;
  const auto end = parse::parse_perf_records(bytes, [&](const parse::PerfSample& sample) {
    ++samples;
    parsed += sizeof(perf_event_header) + sample.raw.size();
    fuzz::require(lies_within(sample.raw, bytes), "raw data lie within the buffer");
    check_failure(layout, sample.raw);
  });
  if (!end) fuzz::check(end.error());
  fuzz::require(parsed <= bytes.size(), "every sample has bytes of its own");
  // A walk that ends at a broken sample has handed over no more than the recording counts.
  check_recording(bytes, samples);
  return 0;
}
