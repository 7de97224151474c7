#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include <prometheus/metric_family.h>

#include "daemon/collector_families.h"

namespace timewait::status_page {

/// The samples of a snapshot, read back by the names that they are published under. Refers to the
/// families.
class PublishedFigures {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;
  };

  explicit PublishedFigures(std::span<const CollectorFamilies> collectors)
      : collectors_(collectors) {}

  /// The samples of a family; none where it is absent.
  std::span<const prometheus::ClientMetric> samples(std::string_view family) const;

  /// The value of the first sample with these labels.
  std::optional<double> find(std::string_view family,
                             std::initializer_list<Label> labels = {}) const;

 private:
  std::span<const CollectorFamilies> collectors_;
};

/// Empty where the sample has no such label.
std::string_view label_of(const prometheus::ClientMetric& sample, std::string_view name);

double value_of(const prometheus::ClientMetric& sample);

}  // namespace timewait::status_page
