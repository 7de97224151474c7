#include "daemon/poll_status.h"

namespace timewait {

std::string render_summary(const PollStatus& status) {
  std::string failing;
  std::size_t succeed = 0;
  for (const CollectorStatus& collector : status.collectors) {
    if (collector.success) {
      ++succeed;
    } else {
      failing.append(failing.empty() ? "; failing: " : ", ").append(collector.name);
    }
  }
  const std::string all = std::to_string(status.collectors.size());
  return (failing.empty() ? "all " : std::to_string(succeed) + " of ") + all +
         " collectors succeed" + failing;
}

}  // namespace timewait
