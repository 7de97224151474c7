#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "collectors/kernel.h"
#include "daemon/file_descriptor.h"

namespace timewait {

/// The CPUs that the host may have, online or not: the most perf events that may be open, one for
/// each.
std::size_t count_possible_cpus();

/// Bytes of the ring buffer of one CPU: a power of two, at least a page. 64 KiB, or less where so
/// many CPUs would take more than 4 MiB together.
std::size_t compute_ring_size(std::size_t cpus, std::size_t page_size);

/// Hands over what lies in a ring between two positions that only grow, in one piece: what goes on
/// at the ring's beginning is copied to what stands at its end. `ring.size()` is a power of two.
void read_ring(std::span<const std::byte> ring, std::uint64_t tail, std::uint64_t head,
               const PerfEvent::OnRecords& on_records);

/// Opens a tracepoint on a CPU for all processes, with a ring buffer of its own that is mapped into
/// this process (perf_event_open(2)).
///
/// Memory: the ring buffer and a page.
/// Wakes up at each sample: a process may end right after the call that failed.
/// Errors: it leaves the last file descriptors to the rest of the process.
Result<std::unique_ptr<PerfEvent>> open_perf_event(const Tracepoint& tracepoint, std::uint32_t cpu);

}  // namespace timewait
