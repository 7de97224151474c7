#include "tests/bench/collector_poll.h"

#include <chrono>
#include <stdexcept>
#include <string>

#include "collectors/registry.h"
#include "config/option_reader.h"
#include "tests/support/exposition.h"

namespace timewait::bench {

CollectorPoll::CollectorPoll() {
  const CollectorEntry* const entry = find_collector("sock_diag");
  if (entry == nullptr) throw std::runtime_error("there is no collector sock_diag");
  const config::Value no_options;
  config::Problems problems;
  config::OptionReader reader(no_options, "collectors.sock_diag", problems);
  collector_ = entry->configure(reader)({kernel_, findings_});
}

CollectorOutput CollectorPoll::poll() {
  CollectorOutput output;
  if (const auto result = collector_->collect(std::chrono::steady_clock::now(), output); !result) {
    throw std::runtime_error(result.error().source + ": " + result.error().detail);
  }
  return output;
}

std::size_t time_wait_sockets(CollectorOutput& output) {
  const test::Samples samples(output.metrics.take());
  double count = 0;
  for (const std::string family : {"ipv4", "ipv6"}) {
    const std::string series =
        "timewait_sockets{netns=\"self\",family=\"" + family + "\",state=\"time_wait\"}";
    count += samples.find(series).value_or(0);
  }
  return static_cast<std::size_t>(count);
}

}  // namespace timewait::bench
