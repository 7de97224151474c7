#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/error.h"

namespace timewait {

/// How one collector fares, for its self metrics and the status page.
struct CollectorStatus {
  std::string_view name;
  bool success = false;
  std::chrono::nanoseconds duration{};   ///< of the last poll
  std::chrono::nanoseconds cpu{};        ///< of all polls
  std::optional<double> last_success;    ///< seconds since 1970
  std::chrono::milliseconds interval{};  ///< in force: configured, or stretched by the budget
  std::array<std::uint64_t, std::size(kAllErrorReasons)> errors{};  ///< by reason, since start
  std::string last_error;                                           ///< empty while it succeeds
};

/// The daemon's own state at a snapshot.
struct PollStatus {
  std::vector<CollectorStatus> collectors;
  std::uint64_t polls = 0;
  std::uint64_t overruns = 0;
  double snapshot_time = 0;          ///< seconds since 1970
  bool last_config_was_good = true;  ///< when the configuration was last read
  double config_load_time = 0;       ///< of the one in force, seconds since 1970
};

/// How the collectors fare, in one line: `6 of 7 collectors succeed; failing: slabinfo`.
std::string render_summary(const PollStatus& status);

}  // namespace timewait
