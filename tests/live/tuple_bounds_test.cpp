#include <cstddef>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"

// More tuples than are shown, and more than are remembered.

namespace timewait::test {
namespace {

constexpr std::uint16_t kServicePort = 80;
constexpr std::size_t kLightTuples = 30;
/// Connections by destination.
const std::map<std::string, double> kHeavyTuples{
    {"127.0.1.1", 40}, {"127.0.1.2", 30}, {"127.0.1.3", 20}};
constexpr double kSockets = 40 + 30 + 20 + kLightTuples;
constexpr double kTuples = 3 + kLightTuples;

/// One side of the connections: its families' names and the labels of a destination's tuple.
struct Side {
  std::string name;
  std::string ports_used;
  std::string labels_before;
  std::string labels_after;

  std::string sum(const std::string& figure) const {
    return of_self("timewait_" + name + "_" + figure);
  }
  std::string used(const std::string& destination) const {
    return of_self(ports_used, labels_before + destination + labels_after);
  }
};

std::ostream& operator<<(std::ostream& out, const Side& side) { return out << side.name; }

const Side kConnectSide{"connect", "timewait_connect_ports_used",
                        R"(local_address="127.0.0.1",remote_address=")", R"(",remote_port="80")"};
const Side kServerSide{"server", "timewait_server_remote_ports_used", R"(local_address=")",
                       R"(",local_port="80",remote_address="127.0.0.1")"};

/// 33 tuples at each side: three of many connections, the others of one.
class TupleBounds : public NetworkNamespaceTest, public ::testing::WithParamInterface<Side> {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
    listener_ = open_listener({"0.0.0.0", kServicePort});
    for (std::size_t i = 0; i < kLightTuples; ++i) connect("127.0.2." + std::to_string(i + 1));
    for (const auto& [destination, count] : kHeavyTuples) {
      for (double i = 0; i < count; ++i) connect(destination);
    }
  }

 private:
  void connect(const std::string& destination) {
    connections_.push_back({open_connected({destination, kServicePort}), accept_from(listener_)});
  }

  FileDescriptor listener_;
  std::vector<Connection> connections_;
};

INSTANTIATE_TEST_SUITE_P(, TupleBounds, ::testing::Values(kConnectSide, kServerSide));

TEST_P(TupleBounds, LeaveOutTheLightestAndCountThem) {
  const Side& side = GetParam();
  const Samples samples = scrape({"sock_diag"});
  EXPECT_EQ(samples.count(side.ports_used + "{"), 20U);
  for (const auto& [destination, count] : kHeavyTuples) {
    EXPECT_TRUE(has_value(samples, side.used(destination), count));
  }
  EXPECT_TRUE(has_value(samples, side.sum("tuples"), kTuples));
  EXPECT_TRUE(has_value(samples, side.sum("tuples_omitted"), kTuples - 20));
  EXPECT_TRUE(has_value(samples, side.sum("sockets_omitted"), kTuples - 20));
  EXPECT_TRUE(has_value(samples, side.sum("sockets_error_bound"), 0));
}

TEST_P(TupleBounds, KeepTheHeaviestBeyondMaxTuplesAndBoundTheError) {
  const Side& side = GetParam();
  const Samples samples =
      scrape({"sock_diag"}, "collectors:\n  sock_diag:\n    top: 3\n    max_tuples: 8\n");
  const double bound = value_of(samples, side.sum("sockets_error_bound"));
  EXPECT_GT(bound, 0);
  EXPECT_LE(bound, kSockets / 8);

  EXPECT_EQ(samples.count(side.ports_used + "{"), 3U);
  double shown = 0;
  for (const auto& [destination, count] : kHeavyTuples) {
    const double used = value_of(samples, side.used(destination));
    EXPECT_LE(used, count) << destination;
    EXPECT_GE(used, count - bound) << destination;
    shown += used;
  }
  EXPECT_TRUE(has_value(samples, side.sum("sockets_omitted"), kSockets - shown));
  const double tuples = value_of(samples, side.sum("tuples"));
  EXPECT_NEAR(tuples, kTuples, 5) << "an estimate";
  EXPECT_TRUE(has_value(samples, side.sum("tuples_omitted"), tuples - 3));
}

}  // namespace
}  // namespace timewait::test
