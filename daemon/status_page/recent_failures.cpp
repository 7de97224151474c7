#include "daemon/status_page/recent_failures.h"

#include <utility>

#include "collectors/connect_failures_metrics.h"

namespace timewait::status_page {

namespace {

std::string key_of(const prometheus::ClientMetric& series) {
  std::string key;
  for (const prometheus::ClientMetric::Label& label : series.label) {
    key.append(label.value).push_back('\0');
  }
  return key;
}

}  // namespace

void RecentFailures::see(SteadyTime now, const PublishedFigures& figures) {
  const auto total = figures.find(connect_failures::kTotal.name());
  if (!total) {
    rise_.reset();
    return;
  }
  rise_ = total_rise_.see(now, static_cast<std::uint64_t>(*total));
  if (*total == total_) return;  // which costs a host without failures nothing
  total_ = *total;
  see_destinations(now, figures);
}

void RecentFailures::see_destinations(SteadyTime now, const PublishedFigures& figures) {
  std::map<std::string, Seen> seen;
  for (const prometheus::ClientMetric& series :
       figures.samples(connect_failures::kByDestination.name())) {
    const double count = value_of(series);
    if (count == 0) continue;
    std::string key = key_of(series);
    const auto before = destinations_.find(key);
    const bool rose = before == destinations_.end() || before->second.count != count;
    seen.emplace(std::move(key), Seen{count, rose ? now : before->second.rose});
  }
  destinations_ = std::move(seen);
}

std::optional<SteadyTime> RecentFailures::last(const prometheus::ClientMetric& series) const {
  const auto found = destinations_.find(key_of(series));
  if (found == destinations_.end()) return std::nullopt;
  return found->second.rose;
}

}  // namespace timewait::status_page
