#pragma once

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "collectors/metric.h"
#include "daemon/serializers.h"

namespace timewait::test {

/// The samples of a text exposition by their series, e.g. `timewait_bind_buckets{netns="self"}`.
class Samples {
 public:
  explicit Samples(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t space = line.rfind(' ');
      if (line.empty() || line.front() == '#' || space == std::string::npos) continue;
      values_[line.substr(0, space)] = std::stod(line.substr(space + 1));
    }
  }
  explicit Samples(const MetricFamilies& families)
      : Samples(TextSerializer().Serialize(families)) {}

  /// Nothing where the series is absent.
  std::optional<double> find(const std::string& series) const {
    const auto found = values_.find(series);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  /// How many series begin like that.
  std::size_t count(std::string_view prefix) const {
    std::size_t count = 0;
    for (const auto& [series, value] : values_) {
      if (series.starts_with(prefix)) ++count;
    }
    return count;
  }

  std::size_t size() const { return values_.size(); }
  const std::map<std::string, double>& all() const { return values_; }

 private:
  std::map<std::string, double> values_;
};

}  // namespace timewait::test
