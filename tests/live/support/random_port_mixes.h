#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/network_namespace.h"
#include "tests/live/support/port_mix.h"
#include "tests/support/seed.h"

namespace timewait::test {

/// Shows every tuple and address of a mix.
inline constexpr std::string_view kShowAll = "collectors:\n  sock_diag:\n    top: 1000\n";

/// As many seeds as TIMEWAIT_SEEDS of the environment says, one after the other from choose_seed().
inline std::vector<unsigned> choose_seeds() {
  const char* const given = std::getenv("TIMEWAIT_SEEDS");  // NOLINT(concurrency-mt-unsafe)
  std::vector<unsigned> seeds(given != nullptr ? std::stoul(given) : 10);
  unsigned seed = choose_seed();
  for (unsigned& chosen : seeds) chosen = seed++;
  return seeds;
}

/// One mix after the other, each in a namespace of its own, until one fails. TIMEWAIT_SEEDS says
/// how many.
class RandomPortMixes : public NetworkNamespaceTest {
 protected:
  /// Calls `judge(mix)`, which may add to the mix's line on standard output.
  template <class Judge>
  void judge_mixes(Judge judge) {
    for (const unsigned seed : choose_seeds()) {
      enter_next_namespace();
      if (!has_namespace()) return;
      SCOPED_TRACE("TIMEWAIT_SEEDS=1 TIMEWAIT_SEED=" + std::to_string(seed));
      PortMix mix(seed);
      SCOPED_TRACE(mix.description());
      std::cout << mix.description();
      judge(mix);
      std::cout << std::endl;
      if (HasFailure()) return;
    }
  }

 private:
  void enter_next_namespace() {
    if (!is_first_) NetworkNamespaceTest::SetUp();
    is_first_ = false;
  }

  bool is_first_ = true;
};

}  // namespace timewait::test
