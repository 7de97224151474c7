#include "daemon/http/password_cache.h"

#include <cstring>
#include <initializer_list>
#include <system_error>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace timewait {

namespace {

/// Unlike a plain concatenation, differs wherever a part does.
std::string with_lengths(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += std::to_string(part.size()) + ":" + std::string(part);
  }
  return text;
}

}  // namespace

PasswordCache::PasswordCache() {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw std::system_error(std::make_error_code(std::errc::io_error), "no random numbers");
  }
}

PasswordCache::Entry PasswordCache::keyed_hash(const std::string& text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  // The bytes of text are what HMAC wants.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
  // Else one entry would stand for every password.
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), data, text.size(),
           bytes.data(), nullptr) == nullptr) {
    throw std::system_error(std::make_error_code(std::errc::not_enough_memory), "HMAC");
  }
  Entry entry{};
  std::memcpy(entry.data(), bytes.data(), entry.size());
  return entry;
}

PasswordCache::Entry PasswordCache::entry_of(std::string_view name, std::string_view bcrypt_hash,
                                             std::string_view password) const {
  std::string text = with_lengths({name, bcrypt_hash, password});
  const Entry entry = keyed_hash(text);
  OPENSSL_cleanse(text.data(), text.size());
  return entry;
}

std::size_t PasswordCache::number_of(std::string_view name) const {
  const Entry entry = keyed_hash(with_lengths({name}));
  std::size_t number = 0;
  std::memcpy(&number, entry.data(), sizeof number);
  return number;
}

void PasswordCache::add(const Entry& entry) {
  const std::scoped_lock lock(mutex_);
  if (entries_.size() == kMost) entries_.pop_front();
  entries_.push_back(entry);
}

bool PasswordCache::contains(const Entry& entry) const {
  const std::scoped_lock lock(mutex_);
  bool found = false;
  for (const Entry& each : entries_) {
    found |= CRYPTO_memcmp(each.data(), entry.data(), entry.size()) == 0;
  }
  return found;
}

}  // namespace timewait
