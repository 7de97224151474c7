#include "collectors/model/tuples.h"

#include <algorithm>
#include <random>
#include <set>

#include "collectors/model/ephemeral_ports.h"
#include "collectors/model/top.h"
#include "tests/support/seed.h"
#include "tests/support/sockets.h"

namespace timewait {
namespace {

using test::address;

TEST(KeyedHash, TellsEachPartOfATuple) {
  const ConnectTuple tuple{address("192.0.2.1"), address("198.51.100.7"), 80};
  const std::vector<ConnectTuple> others{{address("192.0.2.2"), address("198.51.100.7"), 80},
                                         {address("192.0.2.1"), address("198.51.100.8"), 80},
                                         {address("192.0.2.1"), address("198.51.100.7"), 81},
                                         {address("198.51.100.7"), address("192.0.2.1"), 80}};
  EXPECT_EQ(tuple.hash(), ConnectTuple(tuple).hash());
  for (const ConnectTuple& other : others) {
    EXPECT_NE(tuple.hash(), other.hash());
    EXPECT_NE(tuple, other);
  }
  const ConnectTuple mapped{address("::ffff:192.0.2.1"), address("::ffff:198.51.100.7"), 80};
  EXPECT_EQ(tuple.hash(), mapped.hash());
}

TEST(KeyedHash, SpreadsNeighboursOverTheLowBits) {
  // Chains are found by the low bits, registers of DistinctCount by the high ones.
  constexpr std::size_t kSlots = 1024;
  std::vector<unsigned> low(kSlots);
  std::vector<unsigned> high(kSlots);
  const Address local = address("192.0.2.1");
  const Address remote = address("198.51.100.7");
  for (std::uint32_t port = 0; port < 16 * kSlots; ++port) {
    const std::uint64_t hash = ConnectTuple{local, remote, static_cast<std::uint16_t>(port)}.hash();
    ++low[hash % kSlots];
    ++high[hash >> 54U];
  }
  // 16 are expected; beyond 60 lie 11 standard deviations.
  EXPECT_LT(std::ranges::max(low), 60U);
  EXPECT_LT(std::ranges::max(high), 60U);
}

TEST(TupleStates, KnowTheirNames) {
  TupleStates states;
  for (const NamedTcpState& each : kTcpStates) states.add(each.state);
  // close, syn_recv, fin_wait1, last_ack, closing and the idle ones have no name of their own.
  EXPECT_THAT(states.counts(), ::testing::ElementsAre(1, 1, 1, 1, 1, kTcpStates.size() - 5));
  EXPECT_EQ(states.sum(), kTcpStates.size());
}

TEST(ComputeTop, GivesTheFirstOnesOfTheSortedOrder) {
  const unsigned seed = test::choose_seed();
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> values(random() % 50);
    for (std::uint64_t& value : values) value = random() % 10;  // with many ties
    const auto comes_before = [&](std::uint32_t left, std::uint32_t right) {
      return values[left] != values[right] ? values[left] > values[right] : left < right;
    };
    std::vector<std::uint32_t> sorted(values.size());
    for (std::uint32_t i = 0; i < sorted.size(); ++i) sorted[i] = i;
    std::ranges::sort(sorted, comes_before);
    const std::size_t limit = random() % 60;
    sorted.resize(std::min(sorted.size(), limit));
    ASSERT_EQ(compute_top(values.size(), limit, comes_before), sorted)
        << "seed " << seed << ", round " << round << ", limit " << limit;
  }
}

TEST(PortSet, FindsItsLowestAndVisitsEachInOrder) {
  PortSet ports;
  EXPECT_EQ(ports.lowest(), std::nullopt);
  for (const unsigned port : {65535U, 0U, 63U, 64U, 40000U}) {
    ports.insert(static_cast<std::uint16_t>(port));
  }
  EXPECT_EQ(ports.lowest(), 0);
  std::vector<unsigned> visited;
  ports.for_each([&](std::uint16_t port) { visited.push_back(port); });
  EXPECT_EQ(visited, std::vector<unsigned>({0, 63, 64, 40000, 65535}));
  ports.clear();
  EXPECT_TRUE(ports.empty());
}

TEST(PortSet, ReckonsAsSetsDo) {
  const unsigned seed = test::choose_seed();
  std::mt19937 random(seed);
  std::set<std::uint16_t> left;
  std::set<std::uint16_t> right;
  PortSet left_ports;
  PortSet right_ports;
  for (int i = 0; i < 2000; ++i) {
    const auto port = static_cast<std::uint16_t>(random() % 3000);
    const bool to_left = random() % 2 == 0;
    (to_left ? left : right).insert(port);
    (to_left ? left_ports : right_ports).insert(port);
  }
  const PortSet both = left_ports & right_ports;
  const PortSet either = left_ports | right_ports;
  const PortSet rest = left_ports - right_ports;
  for (unsigned number = 0; number < 3000; ++number) {
    const auto port = static_cast<std::uint16_t>(number);
    ASSERT_EQ(both.contains(port), left.contains(port) && right.contains(port)) << seed;
    ASSERT_EQ(either.contains(port), left.contains(port) || right.contains(port)) << seed;
    ASSERT_EQ(rest.contains(port), left.contains(port) && !right.contains(port)) << seed;
  }
  EXPECT_EQ(left_ports.size(), left.size());
}

TEST(EphemeralPorts, PreferTheParityOfTheirLowerEnd) {
  PortSet reserved;
  reserved.insert(40003);
  const EphemeralPorts ports = compute_ephemeral_ports({40001, 40007}, reserved);
  EXPECT_EQ(ports.preferred().size(), 3U) << "40001, 40005 and 40007";
  EXPECT_FALSE(ports.is_preferred(40002));
  EXPECT_TRUE(ports.in_range(40003)) << "reserved, but in the range";
  EXPECT_FALSE(ports.in_range(40000) || ports.in_range(40008));
}

TEST(ComputeUsageRatio, IsOneWithoutCapacity) {
  EXPECT_DOUBLE_EQ(compute_usage_ratio(0, 0), 1);
  EXPECT_DOUBLE_EQ(compute_usage_ratio(0, 10), 0);
  EXPECT_DOUBLE_EQ(compute_usage_ratio(7, 10), 0.7);
}

}  // namespace
}  // namespace timewait
