#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace timewait {

enum class Family : std::uint8_t { kIpv4, kIpv6 };

inline constexpr std::array kFamilies{Family::kIpv4, Family::kIpv6};

constexpr std::string_view to_string(Family family) {
  return family == Family::kIpv4 ? "ipv4" : "ipv6";
}

/// An IPv4 or IPv6 address. IPv4-mapped IPv6 (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) is folded
/// to IPv4 when it is made: the kernel treats both as the same quadruplet.
class Address {
 public:
  constexpr Address() = default;

  /// From network byte order: 4 bytes of IPv4 or 16 of IPv6.
  static Address from_ipv4(const void* network_order) {
    Address address;
    std::memcpy(address.bytes_.data(), network_order, 4);
    return address;
  }
  static Address from_ipv6(const void* network_order) {
    static constexpr std::array<unsigned char, 12> kMappedPrefix{0, 0, 0, 0, 0,    0,
                                                                 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(network_order, kMappedPrefix.data(), kMappedPrefix.size()) == 0) {
      return from_ipv4(static_cast<const unsigned char*>(network_order) + kMappedPrefix.size());
    }
    Address address;
    std::memcpy(address.bytes_.data(), network_order, address.bytes_.size());
    address.family_ = Family::kIpv6;
    return address;
  }

  /// 0.0.0.0 or ::
  static constexpr Address any(Family family) {
    Address address;
    address.family_ = family;
    return address;
  }

  constexpr Family family() const { return family_; }

  /// 0.0.0.0 or ::
  bool is_any() const {
    return std::ranges::all_of(bytes_, [](unsigned char byte) { return byte == 0; });
  }

  /// 127.0.0.0/8 or ::1
  bool is_loopback() const {
    if (family_ == Family::kIpv4) return bytes_[0] == 127;
    static constexpr std::array<unsigned char, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                             0, 0, 0, 0, 0, 0, 0, 1};
    return bytes_ == kLoopback;
  }

  /// IPv4 uses the first 4 bytes, the others are 0.
  const std::array<unsigned char, 16>& bytes() const { return bytes_; }

  /// The bytes as two words, for whoever hashes or compares many addresses.
  std::array<std::uint64_t, 2> words() const {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), bytes_.data(), sizeof(words));
    return words;
  }

  friend bool operator==(const Address& left, const Address& right) {
    return left.words() == right.words() && left.family_ == right.family_;
  }
  /// Some order, the same at every poll.
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 stumbles over a defaulted <=>.
  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  std::array<unsigned char, 16> bytes_{};
  Family family_ = Family::kIpv4;
};

/// As inet_ntop prints it.
std::string to_string(const Address& address);

}  // namespace timewait
