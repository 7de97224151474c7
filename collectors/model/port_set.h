#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace timewait {

/// A set of TCP ports: 65,536 bits, 8 KiB, no allocation.
class PortSet {
 public:
  void insert(std::uint16_t port) { word(port) |= bit(port); }

  void insert_range(std::uint16_t first, std::uint16_t last) {
    for (std::uint32_t port = first; port <= last; ++port) insert(static_cast<std::uint16_t>(port));
  }

  bool contains(std::uint16_t port) const { return (words_[port / kBits] & bit(port)) != 0; }

  std::size_t size() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }

  /// Nothing where it is empty.
  std::optional<std::uint16_t> lowest() const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] == 0) continue;
      return static_cast<std::uint16_t>(i * kBits +
                                        static_cast<unsigned>(std::countr_zero(words_[i])));
    }
    return std::nullopt;
  }

  bool empty() const { return *this == PortSet{}; }

  /// Calls `on_port(port)` for each port, the lowest first.
  template <class OnPort>
  void for_each(OnPort&& on_port) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1) {
        on_port(
            static_cast<std::uint16_t>(i * kBits + static_cast<unsigned>(std::countr_zero(rest))));
      }
    }
  }

  void clear() { words_.fill(0); }

  PortSet& operator|=(const PortSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }

  PortSet& operator&=(const PortSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  PortSet& operator-=(const PortSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    return *this;
  }
  friend PortSet operator|(PortSet left, const PortSet& right) { return left |= right; }
  friend PortSet operator&(PortSet left, const PortSet& right) { return left &= right; }
  friend PortSet operator-(PortSet left, const PortSet& right) { return left -= right; }
  friend bool operator==(const PortSet&, const PortSet&) = default;

 private:
  static constexpr std::size_t kBits = 64;
  static constexpr std::uint64_t bit(std::uint16_t port) {
    return std::uint64_t{1} << (port % kBits);
  }
  std::uint64_t& word(std::uint16_t port) { return words_[port / kBits]; }

  std::array<std::uint64_t, 65536 / kBits> words_{};
};

}  // namespace timewait
