#pragma once

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace timewait::test {

/// The seed of a random test, printed so that TIMEWAIT_SEED can repeat what it drew.
inline unsigned choose_seed() {
  const char* const given = std::getenv("TIMEWAIT_SEED");  // NOLINT(concurrency-mt-unsafe)
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::cout << "TIMEWAIT_SEED=" << seed << " repeats this test\n";
  return seed;
}

}  // namespace timewait::test
