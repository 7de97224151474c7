#pragma once

#include <string>
#include <vector>

#include "collectors/metric.h"

namespace timewait {

/// --list-collectors: a line each, with its default and the privilege that it needs.
std::string render_collector_list();

/// --list-metrics: every metric as a row of a Markdown table, collectors first, then the exporter's
/// own.
std::string render_metric_list();

/// All that --list-metrics shows.
std::vector<MetricDescription> all_metrics();

}  // namespace timewait
