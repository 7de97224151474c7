#include "tests/live/support/expectations.h"

#include <sys/utsname.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace timewait::test {

namespace {

constexpr std::array<const char*, 12> kStates{
    "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2", "time_wait",
    "close",       "close_wait", "last_ack", "listen",    "closing",   "bound_inactive"};

std::string series_of(const std::string& family, const std::string& state) {
  return of_self("timewait_sockets", "family=\"" + family + "\",state=\"" + state + "\"");
}

/// The exact set of series that this kernel gives rise to.
std::map<std::string, std::size_t> expected_series(const ExpectedSockets& expected) {
  std::map<std::string, std::size_t> series;
  for (const std::string family : {"ipv4", "ipv6"}) {
    for (const std::string state : kStates) {
      if (state == "bound_inactive" && !kernel_reports_bound_inactive()) continue;
      series[series_of(family, state)] = 0;
    }
  }
  for (const auto& [labels, count] : expected)
    series[series_of(labels.first, labels.second)] = count;
  return series;
}

}  // namespace

bool kernel_reports_bound_inactive() {
  utsname name{};
  int major = 0;
  int minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return std::pair(major, minor) >= std::pair(6, 8);
}

std::string of_self(const std::string& name, const std::string& labels) {
  return name + "{netns=\"self\"" + (labels.empty() ? "" : ",") + labels + "}";
}

::testing::AssertionResult has_sockets(const Samples& samples, const ExpectedSockets& expected) {
  const auto series = expected_series(expected);
  std::string wrong;
  for (const auto& [name, count] : series) {
    if (const auto result = has_value(samples, name, static_cast<double>(count)); !result) {
      wrong += std::string(result.message()) + '\n';
    }
  }
  if (const std::size_t found = samples.count("timewait_sockets{"); found != series.size()) {
    wrong += "timewait_sockets has " + std::to_string(found) + " series, expected " +
             std::to_string(series.size()) + '\n';
  }
  return wrong.empty() ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << wrong;
}

::testing::AssertionResult has_value(const Samples& samples, const std::string& series,
                                     double expected) {
  const auto found = samples.find(series);
  if (!found) return ::testing::AssertionFailure() << series << " is absent, expected " << expected;
  if (*found == expected) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << series << " is " << *found << ", expected " << expected;
}

double value_of(const Samples& samples, const std::string& series) {
  const auto found = samples.find(series);
  if (!found) throw std::runtime_error(series + " is absent");
  return *found;
}

}  // namespace timewait::test
