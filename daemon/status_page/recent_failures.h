#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "collectors/model/advice_history.h"
#include "collectors/steady_time.h"
#include "daemon/status_page/published_figures.h"

namespace timewait::status_page {

/// When connects failed for want of a port, which counters alone do not tell. Bounded as the series
/// of timewait_connect_failures_by_destination_total are.
class RecentFailures {
 public:
  /// Takes the counters of a snapshot.
  void see(SteadyTime now, const PublishedFigures& figures);

  /// How many have failed in the last five minutes; nothing where they are not counted.
  std::optional<std::uint64_t> rise() const { return rise_; }

  /// Between which snapshots the counter of this series rose last, by the later one. Nothing where
  /// that was not seen.
  std::optional<SteadyTime> last(const prometheus::ClientMetric& series) const;

 private:
  struct Seen {
    double count = 0;
    SteadyTime rose;
  };

  void see_destinations(SteadyTime now, const PublishedFigures& figures);

  RecentRise total_rise_;
  std::optional<std::uint64_t> rise_;
  double total_ = 0;
  std::map<std::string, Seen> destinations_;  ///< by their label values
};

}  // namespace timewait::status_page
