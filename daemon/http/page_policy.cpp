#include "daemon/http/page_policy.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace timewait {

namespace {

std::string hash_in_base64(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  // 4 characters for each 3 bytes, and a 0.
  std::array<unsigned char, (SHA256_DIGEST_LENGTH + 2) / 3 * 4 + 1> encoded{};
  const int size = ::EVP_EncodeBlock(encoded.data(), digest.data(), SHA256_DIGEST_LENGTH);
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

}  // namespace

std::string make_page_policy(std::string_view style_sheet) {
  return "default-src 'none'; style-src 'sha256-" + hash_in_base64(style_sheet) +
         "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace timewait
