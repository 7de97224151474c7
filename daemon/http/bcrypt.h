#pragma once

#include <string>

namespace timewait {

/// Whether a password has this hash, which is_bcrypt_hash() holds for. Takes 50 ms of CPU time with
/// a cost of 10, twice that with 11, whatever the password. Of a password 72 bytes count. False
/// where there is no memory. Thread-safe.
bool matches_bcrypt(const std::string& password, const std::string& hash);

}  // namespace timewait
