#include "daemon/http/bcrypt.h"

#include <crypt.h>

#include <cstring>
#include <memory>
#include <string_view>

#include <openssl/crypto.h>

namespace timewait {

bool matches_bcrypt(const std::string& password, const std::string& hash) {
  // 32 KiB: not for a thread's stack.
  const auto data = std::make_unique<crypt_data>();
  const char* const made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  const bool matches = made != nullptr && std::strlen(made) == hash.size() &&
                       CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof *data);
  return matches;
}

}  // namespace timewait
