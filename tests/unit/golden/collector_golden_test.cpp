#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/registry.h"
#include "daemon/serializers.h"
#include "tests/unit/golden/golden.h"
#include "tests/unit/golden/recorded_host.h"

namespace timewait::test {
namespace {

struct CollectorOnHost {
  const CollectorEntry* collector;
  RecordedHost host;
};

std::ostream& operator<<(std::ostream& out, const CollectorOnHost& golden) {
  return out << golden.host << '/' << golden.collector->name;
}

std::vector<CollectorOnHost> collectors_on_hosts() {
  std::vector<CollectorOnHost> all;
  for (const RecordedHost& host : recorded_hosts()) {
    for (const CollectorEntry* const collector : all_collectors()) all.push_back({collector, host});
  }
  return all;
}

class CollectorGolden : public testing::TestWithParam<CollectorOnHost> {};

TEST_P(CollectorGolden, IsWhatTheCollectorEmits) {
  const auto& [collector, host] = GetParam();
  expect_golden(host.golden(collector->name),
                TextSerializer().Serialize(collect(*collector, host)));
}

INSTANTIATE_TEST_SUITE_P(Host, CollectorGolden, testing::ValuesIn(collectors_on_hosts()));

}  // namespace
}  // namespace timewait::test
