#include "collectors/model/distinct_count.h"

#include <algorithm>

namespace timewait {
namespace {

/// 64 well-mixed bits, the same in every run: the mixing steps of splitmix64.
std::uint64_t hash(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31U);
}

TEST(DistinctCount, LiesWithinFourStandardErrors) {
  DistinctCount count;
  for (const std::uint64_t size : {0U, 1U, 10U, 1000U, 20'000U, 41'000U, 100'000U, 1'000'000U}) {
    for (std::uint64_t stream = 0; stream < 5; ++stream) {
      const std::uint64_t first = stream << 32U;
      count.clear();
      for (std::uint64_t i = 0; i < size; ++i) count.add(hash(first + i));
      for (std::uint64_t i = 0; i < size; i += 7) count.add(hash(first + i));  // no news
      const double exact = static_cast<double>(size);
      EXPECT_NEAR(static_cast<double>(count.estimate()), exact, std::max(1.0, 4 * 0.0081 * exact))
          << "stream " << stream << " of " << size;
    }
  }
}

TEST(DistinctCount, IsZeroOfNothingAndAfterClear) {
  DistinctCount count;
  EXPECT_EQ(count.estimate(), 0U);
  for (std::uint64_t i = 0; i < 100'000; ++i) count.add(hash(i));
  count.clear();
  EXPECT_EQ(count.estimate(), 0U);
  count.add(hash(1));
  count.add(hash(1));
  EXPECT_EQ(count.estimate(), 1U);
}

TEST(DistinctCount, TakesHashesOfAnyBits) {
  DistinctCount count;
  count.add(0);
  count.add(~std::uint64_t{0});
  EXPECT_EQ(count.estimate(), 2U);
}

}  // namespace
}  // namespace timewait
