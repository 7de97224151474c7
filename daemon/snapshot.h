#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/steady_time.h"
#include "daemon/published.h"
#include "daemon/status_page/status_page.h"

namespace timewait {

/// One exposition in both formats, as bytes to be sent.
struct Exposition {
  std::string text;          ///< text format 0.0.4
  std::string open_metrics;  ///< OpenMetrics 1.0.0, without the closing `# EOF`
};

/// The families of one collector, for collect[] and exclude[].
struct CollectorExposition {
  std::string collector;
  Exposition exposition;
};

/// A whole document, plain and compressed.
struct Document {
  std::string plain;
  std::string gzip;
};

/// What one round of polling found, rendered once. Immutable: HTTP threads only hand out its bytes.
struct Snapshot {
  SteadyTime taken;  ///< when the youngest poll in it ended
  /// Until the next snapshot: the shortest interval that is in force.
  std::chrono::milliseconds interval{};
  std::string telemetry_path;                   ///< under which it is handed out
  std::vector<CollectorExposition> collectors;  ///< the enabled ones, in registry order
  Exposition exporter;  ///< timewait_exporter_* and process_*: in every reply
  Document text;
  Document open_metrics;  ///< with `# EOF`
  status_page::StatusPage status_page;
};

inline constexpr std::string_view kOpenMetricsEnd = "# EOF\n";

/// Null before the first publication.
using SnapshotStore = Published<Snapshot>;

}  // namespace timewait
