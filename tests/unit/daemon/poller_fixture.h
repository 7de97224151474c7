#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/poller.h"
#include "tests/support/exposition.h"
#include "tests/support/fake_clock.h"

namespace timewait::test {

inline constexpr MetricDescription kValue{
    "timewait_value", MetricType::kGauge, "A value of the test.", {"collector"}};

/// Does what the test says, poll by poll.
class ScriptedCollector final : public Collector {
 public:
  using Step = std::function<Result<void>(CollectorOutput&)>;

  explicit ScriptedCollector(std::deque<Step> steps) : steps_(std::move(steps)) {}

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    const Step step = steps_.front();
    if (steps_.size() > 1) steps_.pop_front();
    return step(out);
  }

 private:
  std::deque<Step> steps_;
};

inline ScriptedCollector::Step good(const char* name, double value = 1) {
  return [=](CollectorOutput& out) -> Result<void> {
    out.metrics.emit(kValue, value, {name});
    return {};
  };
}

inline ScriptedCollector::Step bad(const char* name, ErrorReason reason,
                                   std::string detail = "broken") {
  return [=](CollectorOutput& out) -> Result<void> {
    out.metrics.emit(kValue, 99, {name});
    return tl::make_unexpected(Error{reason, "/proc/x", detail});
  };
}

inline PolledCollector polled(const char* name, std::deque<ScriptedCollector::Step> steps,
                              std::chrono::milliseconds interval = std::chrono::seconds(15),
                              std::optional<double> cpu_budget_ratio = {}) {
  return {name, std::make_unique<ScriptedCollector>(std::move(steps)), interval, cpu_budget_ratio};
}

class PollerTest : public ::testing::Test {
 protected:
  template <class... Collectors>
  Poller make_poller(Collectors... collectors) {
    std::vector<PolledCollector> all;
    (all.push_back(std::move(collectors)), ...);
    return {std::move(all), "/metrics", clock_, log_, store_, manager_};
  }

  Samples samples() const { return Samples(store_.current()->text.plain); }

  std::optional<double> self(const std::string& name, const std::string& collector) const {
    return samples().find("timewait_exporter_collector_" + name + "{collector=\"" + collector +
                          "\"}");
  }
  std::optional<double> value(const std::string& collector) const {
    return samples().find("timewait_value{collector=\"" + collector + "\"}");
  }

  FakeClock clock_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, LogFormat::kLogfmt,
           [this](std::string_view line) { lines_.emplace_back(line); }};
  SnapshotStore store_;
  ServiceManager manager_;
};

}  // namespace timewait::test
