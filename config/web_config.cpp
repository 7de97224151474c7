#include "config/web_config.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>

#include "config/option_reader.h"
#include "config/quote.h"
#include "config/value.h"
#include "config/yaml.h"

namespace timewait::config {

namespace {

constexpr std::string_view kTlsSection = "tls_server_config";
constexpr std::string_view kClientAuthKey = "client_auth_type";
constexpr std::string_view kAllowedSansKey = "client_allowed_sans";
constexpr std::string_view kMinVersionKey = "min_version";
constexpr std::string_view kMaxVersionKey = "max_version";
constexpr std::string_view kSuitesKey = "cipher_suites";
constexpr std::string_view kCurvesKey = "curve_preferences";

// What Go calls secure, with its names; less the two of CBC with SHA-256, which Go does not.
constexpr std::array<TlsName, 10> kTls12Suites = {{
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
}};
// Without the last four, those with CBC.
constexpr std::size_t kDefaultTls12Suites = 6;

constexpr std::array<TlsName, 3> kTls13Suites = {{
    {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
    {"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
    {"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
}};

constexpr std::array<TlsName, 4> kCurves = {{
    {"CurveP256", "P-256"},
    {"CurveP384", "P-384"},
    {"CurveP521", "P-521"},
    {"X25519", "X25519"},
}};

struct ClientAuthName {
  std::string_view name;
  ClientAuth value;
};

constexpr std::array<ClientAuthName, 6> kClientAuthNames = {{
    {"NoClientCert", ClientAuth::kNone},
    {"RequestClientCert", ClientAuth::kRequest},
    {"RequireAnyClientCert", ClientAuth::kRequireAny},
    {"RequireClientCert", ClientAuth::kRequireAny},
    {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", ClientAuth::kVerify},
}};

struct HeaderRule {
  std::string_view name;
  std::array<std::string_view, 2> values;  ///< empty: any
};

constexpr std::array<HeaderRule, 5> kHeaderRules = {{
    {"Strict-Transport-Security", {}},
    {"X-Content-Type-Options", {"nosniff"}},
    {"X-Frame-Options", {"deny", "sameorigin"}},
    {"X-XSS-Protection", {}},
    {"Content-Security-Policy", {}},
}};

const TlsName* find_name(std::span<const TlsName> names, std::string_view go) {
  const auto found = std::ranges::find(names, go, &TlsName::go);
  return found == names.end() ? nullptr : &*found;
}

template <class Names, class Member>
std::string enumerated(const Names& names, Member member) {
  std::string text;
  for (const auto& each : names) {
    if (!text.empty()) text += ", ";
    text += std::invoke(member, each);
  }
  return text;
}

/// The file or, from the other key, the text; not both.
PemSource read_pem_source(OptionReader& tls, std::string_view file_key, std::string_view text_key,
                          const std::filesystem::path& directory) {
  PemSource source;
  const std::string file = tls.text(file_key, {});
  source.text = tls.text(text_key, {});
  if (file.empty() && source.text.empty()) return source;
  if (!file.empty() && !source.text.empty()) {
    tls.reject(text_key, "expected only one of " + std::string(file_key) + " and " +
                             std::string(text_key) + ", found both");
  }
  const std::string_view key = file.empty() ? text_key : file_key;
  source.key = std::string(kTlsSection) + "." + std::string(key);
  source.place = tls.section(key).place;
  if (!file.empty()) source.file = directory / file;
  return source;
}

/// Nothing where the name is unknown.
std::optional<ClientAuth> read_client_auth(OptionReader& tls) {
  const std::string name = tls.text(kClientAuthKey, {});
  if (name.empty()) return ClientAuth::kNone;
  const auto* const found = std::ranges::find(kClientAuthNames, name, &ClientAuthName::name);
  if (found != kClientAuthNames.end()) return found->value;
  tls.reject(kClientAuthKey, "expected one of " +
                                 enumerated(kClientAuthNames, &ClientAuthName::name) + ", found " +
                                 in_quotes(name));
  return std::nullopt;
}

void check_client_ca(OptionReader& tls, const PemSource& client_ca, ClientAuth client_auth) {
  const bool verifies =
      client_auth == ClientAuth::kVerifyIfGiven || client_auth == ClientAuth::kVerify;
  if (client_ca.is_given() && client_auth == ClientAuth::kNone) {
    tls.reject(client_ca.file.empty() ? "client_ca" : "client_ca_file",
               "needs a client_auth_type that asks for client certificates");
  }
  if (verifies && !client_ca.is_given()) {
    tls.reject(kClientAuthKey, "needs client_ca_file or client_ca to verify certificates with");
  }
}

void check_allowed_sans(OptionReader& tls, const std::vector<std::string>& sans,
                        ClientAuth client_auth) {
  if (!std::holds_alternative<List>(tls.section(kAllowedSansKey).data)) return;
  if (sans.empty()) {
    tls.reject(kAllowedSansKey, "expected at least one name, found none: nobody could connect");
  }
  if (client_auth != ClientAuth::kRequireAny && client_auth != ClientAuth::kVerify) {
    tls.reject(kAllowedSansKey,
               "needs client_auth_type RequireAnyClientCert or RequireAndVerifyClientCert");
  }
}

void read_client_certificates(OptionReader& tls, const std::filesystem::path& directory,
                              TlsConfig& config) {
  const auto client_auth = read_client_auth(tls);
  config.client_ca = read_pem_source(tls, "client_ca_file", "client_ca", directory);
  config.client_allowed_sans = tls.list(kAllowedSansKey, {});
  if (!client_auth) return;
  config.client_auth = *client_auth;
  check_client_ca(tls, config.client_ca, *client_auth);
  check_allowed_sans(tls, config.client_allowed_sans, *client_auth);
}

TlsVersion read_version(OptionReader& tls, std::string_view key, TlsVersion fallback) {
  const std::string name = tls.text(key, {});
  if (name.empty()) return fallback;
  if (name == "TLS12") return TlsVersion::kTls12;
  if (name == "TLS13") return TlsVersion::kTls13;
  const bool is_old = name == "TLS10" || name == "TLS11";
  tls.reject(key, is_old ? "expected TLS12 or TLS13: older versions are broken"
                         : "expected TLS12 or TLS13, found " + in_quotes(name));
  return fallback;
}

void read_versions(OptionReader& tls, TlsConfig& config) {
  config.min_version = read_version(tls, kMinVersionKey, config.min_version);
  config.max_version = read_version(tls, kMaxVersionKey, config.max_version);
  if (config.min_version <= config.max_version) return;
  tls.reject(kMaxVersionKey, "is lower than min_version");
  config.max_version = config.min_version;
}

void read_suites(OptionReader& tls, TlsConfig& config) {
  const std::vector<std::string> names = tls.list(kSuitesKey, {});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const TlsName* suite = find_name(kTls12Suites, names[i])) {
      config.tls12_suites.push_back(*suite);
    } else if (const TlsName* newer = find_name(kTls13Suites, names[i])) {
      config.tls13_suites.push_back(*newer);
    } else {
      tls.reject_item(kSuitesKey, i, "unknown or insecure cipher suite " + in_quotes(names[i]));
    }
  }
  if (names.empty()) {
    config.tls12_suites.assign(kTls12Suites.begin(), kTls12Suites.begin() + kDefaultTls12Suites);
  }
  if (config.tls13_suites.empty()) {
    config.tls13_suites.assign(kTls13Suites.begin(), kTls13Suites.end());
  }
  if (!config.tls12_suites.empty()) return;
  // Nothing of TLS 1.2 is left to agree on.
  if (config.max_version == TlsVersion::kTls12) {
    tls.reject(kSuitesKey, "names no cipher suite of TLS 1.2, but max_version is TLS12");
  }
  config.min_version = TlsVersion::kTls13;
}

void read_curves(OptionReader& tls, TlsConfig& config) {
  const std::vector<std::string> names = tls.list(kCurvesKey, {});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const TlsName* curve = find_name(kCurves, names[i])) {
      config.curves.push_back(*curve);
    } else {
      tls.reject_item(kCurvesKey, i,
                      "expected one of " + enumerated(kCurves, &TlsName::go) + ", found " +
                          in_quotes(names[i]));
    }
  }
}

bool is_empty(const Value& section) {
  const auto* const map = std::get_if<Map>(&section.data);
  return std::holds_alternative<std::monostate>(section.data) || (map != nullptr && map->empty());
}

std::optional<TlsConfig> read_tls(const Value& section, const std::filesystem::path& directory,
                                  Problems& problems) {
  if (is_empty(section)) return std::nullopt;
  TlsConfig config;
  OptionReader tls(section, kTlsSection, problems);
  config.certificate = read_pem_source(tls, "cert_file", "cert", directory);
  config.key = read_pem_source(tls, "key_file", "key", directory);
  if (!config.certificate.is_given()) tls.reject({}, "expected one of cert_file and cert");
  if (!config.key.is_given()) tls.reject({}, "expected one of key_file and key");
  read_client_certificates(tls, directory, config);
  read_versions(tls, config);
  read_suites(tls, config);
  read_curves(tls, config);
  config.prefer_server_suites = tls.boolean("prefer_server_cipher_suites", true);
  tls.reject_unknown();
  return config;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check_header(OptionReader& headers, const HeaderRule& rule, const std::string& value) {
  constexpr std::size_t kLongest = 4096;
  if (!is_printable(value)) return headers.reject(rule.name, "expected printable ASCII");
  if (value.size() > kLongest) {
    return headers.reject(rule.name, "expected at most " + std::to_string(kLongest) + " bytes");
  }
  if (rule.values.front().empty() || std::ranges::count(rule.values, value) > 0) return;
  std::string expected;
  for (const std::string_view each : rule.values) {
    if (each.empty()) continue;
    expected += (expected.empty() ? "" : " or ") + std::string(each);
  }
  headers.reject(rule.name, "expected " + expected + ", found " + in_quotes(value));
}

std::vector<HeaderField> read_headers(const Value& section, Problems& problems) {
  std::vector<HeaderField> fields;
  OptionReader headers(section, "http_server_config.headers", problems);
  for (const HeaderRule& rule : kHeaderRules) {
    const bool is_absent = std::holds_alternative<std::monostate>(headers.section(rule.name).data);
    if (is_absent) continue;
    std::string value = headers.text(rule.name, {});
    check_header(headers, rule, value);
    fields.push_back({std::string(rule.name), std::move(value)});
  }
  headers.reject_unknown();
  return fields;
}

std::vector<HeaderField> read_http(const Value& section, Problems& problems) {
  OptionReader http(section, "http_server_config", problems);
  if (http.boolean("http2", false)) {
    http.reject("http2", "HTTP/2 is not supported: expected false, or no such key");
  }
  auto fields = read_headers(http.section("headers"), problems);
  http.reject_unknown();
  return fields;
}

/// Beyond this a check takes seconds, longer than a scrape may.
constexpr int kMaxBcryptCost = 14;
constexpr int kMinBcryptCost = 4;

int bcrypt_cost(std::string_view hash) { return (hash[4] - '0') * 10 + (hash[5] - '0'); }

/// What is wrong with a user, or nothing. Does not show the hash, a secret.
std::string user_problem(std::string_view name, const Value& value) {
  const auto* const scalar = std::get_if<Scalar>(&value.data);
  if (name.find(':') != std::string_view::npos) return "a user's name cannot hold a colon";
  if (scalar == nullptr || !is_bcrypt_hash(scalar->text)) {
    return "expected a password hashed by bcrypt, such as $2y$10$ and 53 characters";
  }
  const int cost = bcrypt_cost(scalar->text);
  if (cost >= kMinBcryptCost && cost <= kMaxBcryptCost) return {};
  return "expected a hash of bcrypt with a cost between " + std::to_string(kMinBcryptCost) +
         " and " + std::to_string(kMaxBcryptCost) + ", found " + std::to_string(cost);
}

std::vector<BasicAuthUser> read_users(const Map& entries, Problems& problems) {
  std::vector<BasicAuthUser> users;
  for (const Entry& entry : entries) {
    const std::string problem = user_problem(entry.key, entry.value);
    if (problem.empty()) {
      users.push_back({entry.key, std::get<Scalar>(entry.value.data).text});
    } else {
      problems.push_back(
          {entry.value.place, "basic_auth_users." + escaped(entry.key) + ": " + problem});
    }
  }
  return users;
}

std::optional<RateLimit> read_rate_limit(const Value& section, Problems& problems) {
  if (is_empty(section)) return std::nullopt;
  OptionReader reader(section, "rate_limit", problems);
  RateLimit limit;
  const std::chrono::milliseconds none{0};
  limit.interval = reader.duration("interval", none, none, std::chrono::hours{1});
  limit.burst = reader.integer("burst", 0, 0, 1'000'000);
  reader.reject_unknown();
  if (limit.interval == none) return std::nullopt;
  if (limit.burst == 0) reader.reject("burst", "expected at least 1: no request would pass");
  return limit;
}

}  // namespace

bool is_bcrypt_hash(std::string_view text) {
  constexpr std::size_t kPrefix = 7;
  constexpr std::size_t kTail = 53;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != kPrefix + kTail || !text.starts_with("$2")) return false;
  const bool known = text[2] == 'a' || text[2] == 'b' || text[2] == 'y';
  const bool shaped = text[3] == '$' && is_digit(text[4]) && is_digit(text[5]) && text[6] == '$';
  return known && shaped && std::ranges::all_of(text.substr(kPrefix), [&](char c) {
           return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
                  c == '/';
         });
}

/// True for `$2y$10$` with something behind it; a message that explains the form has a blank there.
bool begins_hash(std::string_view text) {
  constexpr std::size_t kPrefix = 7;
  return text.size() > kPrefix && text.starts_with("$2") && text[3] == '$' && text[6] == '$' &&
         text[kPrefix] != ' ';
}

/// What stands in the wrong place, as a key or without its line break, is quoted like any other
/// text.
void hide_secrets(std::string& message) {
  const auto end = std::min(message.find("-----BEGIN"), message.size());
  std::size_t at = 0;
  while (at < end && !begins_hash(std::string_view(message).substr(at))) ++at;
  if (at == message.size()) return;
  message.erase(at);
  message += "[not shown]";
}

LoadedWebSecurity parse_web_config(std::string_view text, const std::filesystem::path& directory) {
  LoadedWebSecurity loaded;
  Problems& problems = loaded.problems;
  const Value root = parse_yaml(text, problems);
  OptionReader reader(root, {}, problems);
  loaded.security.tls = read_tls(reader.section(kTlsSection), directory, problems);
  loaded.security.headers = read_http(reader.section("http_server_config"), problems);
  loaded.security.users = read_users(reader.entries("basic_auth_users"), problems);
  loaded.security.rate_limit = read_rate_limit(reader.section("rate_limit"), problems);
  reader.reject_unknown();
  for (Problem& problem : problems) hide_secrets(problem.message);
  sort_by_place(problems);
  return loaded;
}

}  // namespace timewait::config
