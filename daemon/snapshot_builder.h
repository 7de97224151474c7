#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/collector_families.h"
#include "daemon/poll_status.h"
#include "daemon/snapshot.h"
#include "daemon/status_page/recent_failures.h"

namespace timewait {

/// Renders all that HTTP hands out: every collector in both formats, the whole documents plain and
/// compressed, and the page at `/`.
class SnapshotBuilder {
 public:
  std::shared_ptr<const Snapshot> build(SteadyTime taken,
                                        const std::vector<CollectorFamilies>& collectors,
                                        const PollStatus& status, std::string_view telemetry_path);

 private:
  status_page::RecentFailures failures_;  ///< of the snapshots so far
};

}  // namespace timewait
