#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace timewait {

/// What a client says who it is (RFC 7617).
struct Credentials {
  std::string name;
  std::string password;
};

/// Reads an Authorization field's value: `Basic`, in any case, and `name:password` in base64.
/// Nothing for another scheme and for what is none, one with a NUL among it: crypt(3) would read
/// up to there.
std::optional<Credentials> parse_credentials(std::string_view authorization);

}  // namespace timewait
