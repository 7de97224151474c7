#include "collectors/model/heavy_hitters.h"

#include <algorithm>
#include <map>
#include <random>

#include "tests/support/seed.h"

namespace timewait {
namespace {

/// 64 well-mixed bits, the same in every run, as a seed promises: the last steps of splitmix64.
std::uint64_t mix(std::uint64_t number) {
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31U);
}

/// Counts how often keys are compared.
struct Key {
  std::uint32_t number = 0;
  inline static std::uint64_t comparisons = 0;

  std::uint64_t hash() const { return mix(number + 0x9e3779b97f4a7c15U); }
  friend bool operator==(const Key& left, const Key& right) {
    ++comparisons;
    return left.number == right.number;
  }
};

/// Their low halves are of eight values: chains are long, reach over the end of the index, and have
/// different keys of one hash in them.
struct CrowdedKey {
  std::uint32_t number = 0;

  std::uint64_t hash() const {
    return (mix(number + 1) << 32U) | static_cast<std::uint32_t>(0xfffffffcU + number % 8);
  }
  friend bool operator==(const CrowdedKey&, const CrowdedKey&) = default;
};

struct Seen {
  std::uint32_t times = 0;
};

using Hitters = HeavyHitters<Key, Seen>;
using Stream = std::vector<std::uint32_t>;

template <class AnyHitters>
void feed(AnyHitters& hitters, const Stream& stream) {
  for (const std::uint32_t number : stream) ++hitters.add({number}).value.times;
}

std::map<std::uint32_t, std::uint64_t> count(const Stream& stream) {
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const std::uint32_t number : stream) ++counts[number];
  return counts;
}

/// Every promise of the header, against the exact counts.
template <class AnyHitters>
void check(const AnyHitters& hitters, const Stream& stream, std::size_t capacity) {
  const auto exact = count(stream);
  const bool is_full = exact.size() > capacity;
  ASSERT_EQ(hitters.total(), stream.size());
  ASSERT_EQ(hitters.entries().size(), std::min(exact.size(), capacity));
  ASSERT_LE(hitters.error_bound(), stream.size() / capacity);
  if (!is_full) {
    ASSERT_EQ(hitters.error_bound(), 0U);
    ASSERT_EQ(hitters.distinct(), exact.size());
  } else {
    ASSERT_GT(hitters.distinct(), capacity) << "one more at least than there are entries";
  }

  std::map<std::uint32_t, std::uint64_t> tracked;
  std::uint64_t sum = 0;
  for (const auto& entry : hitters.entries()) {
    const std::uint64_t occurred = exact.at(entry.key.number);
    ASSERT_TRUE(tracked.emplace(entry.key.number, entry.count).second)
        << "key " << entry.key.number << " has two entries";
    ASSERT_LE(occurred, entry.count) << "key " << entry.key.number;
    ASSERT_GE(occurred, entry.count - entry.error) << "key " << entry.key.number;
    ASSERT_EQ(entry.value.times, entry.count - entry.error) << "key " << entry.key.number;
    ASSERT_LE(entry.error, hitters.error_bound()) << "key " << entry.key.number;
    ASSERT_LE(occurred - entry.value.times, hitters.error_bound()) << "key " << entry.key.number;
    sum += entry.count;
  }
  ASSERT_EQ(sum, stream.size()) << "each item of the stream raises one count";
  for (const auto& [number, occurred] : exact) {
    if (occurred > stream.size() / capacity) {
      ASSERT_TRUE(tracked.contains(number)) << "key " << number << " came " << occurred << " times";
    }
    if (!tracked.contains(number)) {
      ASSERT_LE(occurred, hitters.error_bound()) << "key " << number << " has no entry";
    }
  }
}

struct Shape {
  const char* name;
  Stream (*draw)(std::mt19937& random, std::size_t items, std::size_t capacity);
};

std::uint32_t below(std::mt19937& random, std::size_t limit) {
  return std::uniform_int_distribution<std::uint32_t>(
      0, static_cast<std::uint32_t>(limit - 1))(random);
}

Stream uniform(std::mt19937& random, std::size_t items, std::size_t capacity) {
  Stream stream;
  for (std::size_t i = 0; i < items; ++i) stream.push_back(below(random, 3 * capacity));
  return stream;
}

/// The key k about as often as 1 / k.
Stream zipf(std::mt19937& random, std::size_t items, std::size_t capacity) {
  std::vector<double> weights;
  for (std::size_t k = 1; k <= 10 * capacity; ++k) {
    weights.push_back(1.0 / static_cast<double>(k));
  }
  std::discrete_distribution<std::uint32_t> keys(weights.begin(), weights.end());
  Stream stream;
  for (std::size_t i = 0; i < items; ++i) stream.push_back(keys(random));
  return stream;
}

Stream all_distinct(std::mt19937& random, std::size_t items, std::size_t) {
  Stream stream;
  for (std::size_t i = 0; i < items; ++i) stream.push_back(static_cast<std::uint32_t>(i));
  std::ranges::shuffle(stream, random);
  return stream;
}

/// One heavy key that comes when every entry is taken and raised.
Stream heavy_late_comer(std::mt19937& random, std::size_t items, std::size_t capacity) {
  Stream stream = uniform(random, items, capacity);
  constexpr std::uint32_t kLate = 1'000'000;
  std::fill(stream.end() - static_cast<std::ptrdiff_t>(items / 3), stream.end(), kLate);
  return stream;
}

Stream fits(std::mt19937& random, std::size_t items, std::size_t capacity) {
  Stream stream;
  for (std::size_t i = 0; i < items; ++i) stream.push_back(below(random, capacity));
  return stream;
}

template <class AnyKey>
void check_passes(const Shape& shape, const std::vector<std::size_t>& capacities) {
  const unsigned seed = test::choose_seed();
  std::mt19937 random(seed);
  for (const std::size_t capacity : capacities) {
    HeavyHitters<AnyKey, Seen> hitters(capacity);
    for (int pass = 0; pass < 5; ++pass) {
      const std::size_t items = 1 + below(random, 20 * capacity + 20);
      const Stream stream = shape.draw(random, items, capacity);
      hitters.clear();
      feed(hitters, stream);
      SCOPED_TRACE("seed " + std::to_string(seed) + ", capacity " + std::to_string(capacity) +
                   ", pass " + std::to_string(pass) + ", items " + std::to_string(items));
      check(hitters, stream, capacity);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

class HeavyHittersHold : public ::testing::TestWithParam<Shape> {};

TEST_P(HeavyHittersHold, WhatTheyPromise) {
  check_passes<Key>(GetParam(), {1, 2, 3, 10, 100, 1000});
}

TEST_P(HeavyHittersHold, WhatTheyPromiseOfKeysInLongChains) {
  check_passes<CrowdedKey>(GetParam(), {1, 2, 3, 10, 33, 200});
}

INSTANTIATE_TEST_SUITE_P(Streams, HeavyHittersHold,
                         ::testing::Values(Shape{"Uniform", uniform}, Shape{"Zipf", zipf},
                                           Shape{"AllDistinct", all_distinct},
                                           Shape{"HeavyLateComer", heavy_late_comer},
                                           Shape{"Fits", fits}),
                         [](const auto& shape) { return shape.param.name; });

TEST(HeavyHitters, TheNewcomerTakesOverTheLowestCount) {
  Hitters hitters(2);
  feed(hitters, {1, 1, 1, 2, 3});
  ASSERT_EQ(hitters.entries().size(), 2U);
  const auto& newcomer = hitters.entries()[1];
  EXPECT_EQ(newcomer.key.number, 3U);
  EXPECT_EQ(newcomer.count, 2U);
  EXPECT_EQ(newcomer.error, 1U) << "key 2 had come once, and may have been this one";
  EXPECT_EQ(newcomer.value.times, 1U);
  EXPECT_EQ(hitters.error_bound(), 1U);
  EXPECT_EQ(hitters.distinct(), 3U);
}

TEST(HeavyHitters, ThereAreMoreKeysThanEntriesOnceOneGaveWay) {
  // The estimate alone falls below the exact number in about every second set of keys.
  constexpr std::uint32_t kCapacity = 1000;
  Hitters hitters(kCapacity);
  for (std::uint32_t set = 0; set < 40; ++set) {
    hitters.clear();
    for (std::uint32_t i = 0; i <= kCapacity; ++i) hitters.add({10'000 * set + i});
    ASSERT_GE(hitters.distinct(), kCapacity + 1) << "set " << set;
  }
}

TEST(HeavyHitters, AreTheSameAfterClearAsWhenNew) {
  const unsigned seed = test::choose_seed();
  std::mt19937 random(seed);
  Hitters used(50);
  feed(used, zipf(random, 5000, 50));
  for (const std::size_t items : {10U, 200U, 3000U}) {
    const Stream stream = zipf(random, items, 50);
    used.clear();
    Hitters fresh(50);
    feed(used, stream);
    feed(fresh, stream);
    ASSERT_EQ(used.entries().size(), fresh.entries().size());
    EXPECT_EQ(used.total(), fresh.total());
    EXPECT_EQ(used.error_bound(), fresh.error_bound());
    EXPECT_EQ(used.distinct(), fresh.distinct());
    for (std::size_t i = 0; i < used.entries().size(); ++i) {
      EXPECT_EQ(used.entries()[i].key.number, fresh.entries()[i].key.number);
      EXPECT_EQ(used.entries()[i].count, fresh.entries()[i].count);
      EXPECT_EQ(used.entries()[i].error, fresh.entries()[i].error);
      EXPECT_EQ(used.entries()[i].value.times, fresh.entries()[i].value.times);
    }
  }
}

/// A search of all entries for the lowest count would take 10^11 steps here, which is minutes; so
/// the time limit of the test is what fails.
TEST(HeavyHitters, TheirWorkGrowsWithTheStreamAlone) {
  constexpr std::size_t kCapacity = 65536;
  constexpr std::uint32_t kItems = 1'500'000;
  Hitters hitters(kCapacity);
  Key::comparisons = 0;
  std::uint32_t newcomer = 0;
  for (std::uint32_t i = 0; i < kItems; ++i) {
    // Raising entries again and again makes the search for the lowest count pass over them.
    const bool raise = i % 3 == 0 && newcomer > 0;
    ++hitters.add({raise ? i % newcomer : newcomer++}).value.times;
  }
  EXPECT_EQ(hitters.total(), kItems);
  EXPECT_LE(hitters.error_bound(), kItems / kCapacity);
  EXPECT_LT(Key::comparisons, 2 * std::uint64_t{kItems}) << "chains are short";
}

}  // namespace
}  // namespace timewait
