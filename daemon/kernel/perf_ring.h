#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "collectors/kernel.h"
#include "daemon/file_descriptor.h"

namespace timewait {

/// Opens a tracepoint on a CPU for all processes, with a ring buffer of its own that is mapped into
/// this process (perf_event_open(2)).
///
/// Memory: 64 KiB and a page for each CPU, less where there are so many CPUs that they would take
/// more than 4 MiB together.
/// Wakes up at each sample: a process may end right after the call that failed.
Result<std::unique_ptr<PerfEvent>> open_perf_event(const Tracepoint& tracepoint, std::uint32_t cpu);

}  // namespace timewait
