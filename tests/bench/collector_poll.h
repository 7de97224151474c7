#pragma once

#include <cstddef>
#include <memory>

#include "collectors/collector.h"
#include "collectors/findings.h"
#include "daemon/kernel/live_kernel.h"

namespace timewait::bench {

/// The program's sock_diag collector with its built-in options, on the running kernel.
class CollectorPoll {
 public:
  CollectorPoll();

  /// One poll. Throws where it fails.
  CollectorOutput poll();

 private:
  LiveKernel kernel_{"/proc", "/sys"};
  Findings findings_;
  std::unique_ptr<Collector> collector_;
};

/// The TIME-WAIT sockets that a poll has found.
std::size_t time_wait_sockets(CollectorOutput& output);

}  // namespace timewait::bench
