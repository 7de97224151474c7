#pragma once

#include <cstdint>

#include "collectors/model/address.h"

namespace timewait {

namespace detail {

__extension__ using Wide = unsigned __int128;

/// Both halves of a product folded into one word; the mixing step of wyhash.
constexpr std::uint64_t fold_product(std::uint64_t left, std::uint64_t right) {
  const Wide product = static_cast<Wide>(left) * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace detail

/// Hashes addresses and ports under a secret of the process. Remote hosts choose part of what is
/// hashed: without the secret they could send connections that all fall on one place of a table.
class KeyedHash {
 public:
  /// Starts a hash.
  KeyedHash() : state_(secret()) {}

  KeyedHash& add(std::uint64_t word) {
    state_ = detail::fold_product(state_ ^ word, kOdd);
    return *this;
  }
  KeyedHash& add(const Address& address) {
    const auto [low, high] = address.words();
    state_ = detail::fold_product(state_ ^ low, kOdd ^ high ^ secret());
    return *this;
  }
  std::uint64_t value() const { return detail::fold_product(state_, secret() | 1U); }

 private:
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15U;  // 2^64 divided by the golden ratio

  /// Drawn once from the system's random device.
  static std::uint64_t secret() { return kSecret; }
  static const std::uint64_t kSecret;

  std::uint64_t state_;
};

}  // namespace timewait
