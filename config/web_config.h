#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace timewait::config {

/// A certificate or key: a file that is still to be read, or the text itself.
struct PemSource {
  std::string key;  ///< where it was given, such as `tls_server_config.cert_file`
  Place place;
  std::filesystem::path file;  ///< empty: `text` is it
  std::string text;

  bool is_given() const { return !key.empty(); }
};

/// What the server asks of a client's certificate; the names and meanings are those of Go's
/// crypto/tls.
enum class ClientAuth : std::uint8_t { kNone, kRequest, kRequireAny, kVerifyIfGiven, kVerify };

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };

/// A cipher suite or a curve by its name in Go and in OpenSSL.
struct TlsName {
  std::string_view go;
  std::string_view openssl;
};

struct TlsConfig {
  PemSource certificate;
  PemSource key;
  ClientAuth client_auth = ClientAuth::kNone;
  PemSource client_ca;                           ///< given exactly where certificates are verified
  std::vector<std::string> client_allowed_sans;  ///< empty: any
  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;
  std::vector<TlsName> tls12_suites;  ///< in the order of preference
  std::vector<TlsName> tls13_suites;
  std::vector<TlsName> curves;  ///< empty: the default ones
  bool prefer_server_suites = true;
};

/// A response header field.
struct HeaderField {
  std::string name;
  std::string value;
};

struct BasicAuthUser {
  std::string name;
  std::string bcrypt_hash;

  friend bool operator==(const BasicAuthUser&, const BasicAuthUser&) = default;
};

/// `burst` requests at once, and another one each `interval`.
struct RateLimit {
  std::chrono::milliseconds interval{0};
  std::int64_t burst = 0;

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// What a web configuration file says (--web.config.file), in the format of Prometheus'
/// exporter-toolkit. docs/web-config.md has the differences.
struct WebSecurity {
  std::optional<TlsConfig> tls;  ///< none: plain HTTP
  std::vector<HeaderField> headers;
  std::vector<BasicAuthUser> users;  ///< none: everyone may
  std::optional<RateLimit> rate_limit;
};

/// With problems the rest is not to be used.
struct LoadedWebSecurity {
  WebSecurity security;
  Problems problems;
};

/// Reads the text of such a file as parse_yaml() does, and gathers all that is wrong with it but
/// what only the certificates themselves tell. Relative paths are taken to be below `directory`.
/// Secrets do not get into messages. Never throws, whatever the text.
LoadedWebSecurity parse_web_config(std::string_view text, const std::filesystem::path& directory);

/// A hash of bcrypt in the form of crypt(5): `$2y$10$` or with 2a or 2b, and 53 characters.
bool is_bcrypt_hash(std::string_view text);

}  // namespace timewait::config
