#pragma once

#include <span>
#include <string_view>

#include "collectors/steady_time.h"
#include "daemon/collector_families.h"
#include "daemon/poll_status.h"
#include "daemon/status_page/recent_failures.h"
#include "daemon/status_page/status_view.h"

namespace timewait::status_page {

/// What a snapshot is made from. All of it outlives the call.
struct ViewSources {
  SteadyTime taken;
  std::span<const CollectorFamilies> collectors;
  const PollStatus& status;
  const RecentFailures& failures;  ///< which have seen this snapshot
  std::chrono::milliseconds interval{};
  std::string_view telemetry_path;
};

StatusView compute_view(const ViewSources& sources);

}  // namespace timewait::status_page
