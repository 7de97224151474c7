#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/serializer.h>

namespace timewait {

/// Prometheus text format 0.0.4. Unlike the library's own serializer it escapes HELP and prints the
/// shortest number that reads back as the same value.
class TextSerializer final : public prometheus::Serializer {
 public:
  using prometheus::Serializer::Serialize;
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

/// OpenMetrics 1.0.0, without the closing `# EOF`: documents are put together from parts.
class OpenMetricsSerializer final : public prometheus::Serializer {
 public:
  using prometheus::Serializer::Serialize;
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

/// A sample value: the shortest decimal form, `NaN`, `+Inf` or `-Inf`.
std::string render_value(double value);

}  // namespace timewait
