#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace timewait {

/// How many distinct keys a stream has, in 16 KiB whatever its length: HyperLogLog (Flajolet, Fusy,
/// Gandouet, Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation
/// algorithm", AofA 2007) with linear counting for small numbers. Standard error 0.8 %.
class DistinctCount {
 public:
  /// `hash` has 64 well-mixed bits.
  void add(std::uint64_t hash) {
    const std::size_t index = hash >> (64U - kIndexBits);
    // The bit set below the index bounds the rank where all other bits are 0.
    const std::uint64_t rest = (hash << kIndexBits) | (std::uint64_t{1} << (kIndexBits - 1U));
    const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
    ranks_[index] = std::max(ranks_[index], rank);
  }

  std::uint64_t estimate() const {
    constexpr double kCount = kRegisters;
    constexpr double kAlpha = 0.7213 / (1 + 1.079 / kCount);
    double sum = 0;
    std::size_t empty = 0;
    for (const std::uint8_t rank : ranks_) {
      sum += std::ldexp(1.0, -static_cast<int>(rank));
      if (rank == 0) ++empty;
    }
    const double raw = kAlpha * kCount * kCount / sum;
    const bool is_small = raw <= 2.5 * kCount && empty > 0;
    const double best = is_small ? kCount * std::log(kCount / static_cast<double>(empty)) : raw;
    return static_cast<std::uint64_t>(std::llround(best));
  }

  void clear() { ranks_.fill(0); }

 private:
  static constexpr unsigned kIndexBits = 14;
  static constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;

  std::array<std::uint8_t, kRegisters> ranks_{};
};

}  // namespace timewait
