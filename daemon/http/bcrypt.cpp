#include "daemon/http/bcrypt.h"

#include <crypt.h>

#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include <openssl/crypto.h>

namespace timewait {

bool matches_bcrypt(const std::string& password, const std::string& hash) {
  // 32 KiB: not for a thread's stack.
  const std::unique_ptr<crypt_data> data(new (std::nothrow) crypt_data());
  if (data == nullptr) return false;
  const char* const made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  const bool matches = made != nullptr && std::strlen(made) == hash.size() &&
                       CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof *data);
  return matches;
}

}  // namespace timewait
