#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace timewait {

/// Remembers which passwords have passed their check, as keyed hashes and not in clear; the key is
/// chosen at random. Bounded: the newest kMost are remembered. What has failed is not remembered,
/// so that nobody can push out what has passed. Thread-safe.
class PasswordCache {
 public:
  static constexpr std::size_t kMost = 100;
  static constexpr std::size_t kHashBytes = 32;  ///< SHA-256
  using Entry = std::array<unsigned char, kHashBytes>;

  PasswordCache();

  /// What stands for a user with this password hash and this password. Throws std::system_error,
  /// like the next one, where OpenSSL has no memory.
  Entry entry_of(std::string_view name, std::string_view bcrypt_hash,
                 std::string_view password) const;
  /// The same number for the same name, as long as this object lives.
  std::size_t number_of(std::string_view name) const;

  void add(const Entry& entry);
  bool contains(const Entry& entry) const;

 private:
  Entry keyed_hash(const std::string& text) const;

  std::array<unsigned char, kHashBytes> key_{};
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  ///< the newest last
};

}  // namespace timewait
