#pragma once

#include <span>

#include "collectors/metric.h"
#include "daemon/poll_status.h"

namespace timewait {

/// The timewait_exporter_* families.
void emit_self_metrics(const PollStatus& status, MetricBuilder& metrics);

std::span<const MetricDescription> self_metrics();

}  // namespace timewait
