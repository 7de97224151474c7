#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/metric.h"
#include "daemon/poll_status.h"
#include "daemon/snapshot.h"

namespace timewait {

/// The families of one collector's last poll; none if it failed.
struct CollectorFamilies {
  std::string_view collector;
  const MetricFamilies* families = nullptr;
};

/// Renders all that HTTP hands out: every collector in both formats, the whole documents plain and
/// compressed, and the page at `/`.
std::shared_ptr<const Snapshot> render_snapshot(SteadyTime taken,
                                                const std::vector<CollectorFamilies>& collectors,
                                                const PollStatus& status,
                                                std::string_view telemetry_path);

}  // namespace timewait
