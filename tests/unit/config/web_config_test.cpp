#include "config/web_config.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kHash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

LoadedWebSecurity parse(std::string_view text) { return parse_web_config(text, "/etc/web"); }

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> texts;
  for (const Problem& problem : parse(text).problems) texts.push_back(to_string("f", problem));
  return texts;
}

/// A section of TLS that is good, with these options besides.
std::string tls_with(const std::string& options) {
  return "tls_server_config: {cert_file: c, key_file: k, " + options + "}\n";
}

TlsConfig tls_of(const std::string& options) {
  const LoadedWebSecurity loaded = parse(tls_with(options));
  EXPECT_THAT(problems_of(tls_with(options)), IsEmpty());
  return loaded.security.tls.value_or(TlsConfig{});
}

std::vector<std::string> names(const std::vector<TlsName>& list) {
  std::vector<std::string> texts;
  for (const TlsName& name : list) texts.emplace_back(name.openssl);
  return texts;
}

TEST(WebConfig, SaysNothingWhereTheFileIsEmpty) {
  for (const char* const text : {"", "{}", "tls_server_config:\n", "tls_server_config: {}\n",
                                 "basic_auth_users:\nhttp_server_config:\nrate_limit:\n"}) {
    const auto [security, problems] = parse(text);
    EXPECT_THAT(problems_of(text), IsEmpty()) << text;
    EXPECT_FALSE(security.tls) << text;
    EXPECT_THAT(security.users, IsEmpty()) << text;
    EXPECT_THAT(security.headers, IsEmpty()) << text;
    EXPECT_FALSE(security.rate_limit) << text;
  }
}

TEST(WebConfig, ReadsEverySection) {
  const auto [security, problems] = parse(R"(
tls_server_config:
  cert_file: server.crt
  key_file: /keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca: |
    the authority
  client_allowed_sans: [prometheus.example, 192.0.2.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_AES_256_GCM_SHA384]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: sameorigin
basic_auth_users:
  alice: )" + kHash + R"(
rate_limit: {interval: 100ms, burst: 20}
)");
  ASSERT_THAT(problems, IsEmpty());
  ASSERT_TRUE(security.tls);
  const TlsConfig& tls = *security.tls;
  EXPECT_EQ(tls.certificate.file, "/etc/web/server.crt");
  EXPECT_EQ(tls.certificate.key, "tls_server_config.cert_file");
  EXPECT_EQ(tls.certificate.place.line, 3U);
  EXPECT_EQ(tls.certificate.place.column, 14U);
  EXPECT_EQ(tls.key.file, "/keys/server.key");
  EXPECT_EQ(tls.client_auth, ClientAuth::kVerify);
  EXPECT_EQ(tls.client_ca.text, "the authority\n");
  EXPECT_EQ(tls.client_ca.file, "");
  EXPECT_THAT(tls.client_allowed_sans, ElementsAre("prometheus.example", "192.0.2.1"));
  EXPECT_THAT(names(tls.tls12_suites), ElementsAre("ECDHE-RSA-AES128-SHA"));
  EXPECT_THAT(names(tls.tls13_suites), ElementsAre("TLS_AES_256_GCM_SHA384"));
  EXPECT_THAT(names(tls.curves), ElementsAre("X25519", "P-256"));
  EXPECT_FALSE(tls.prefer_server_suites);
  ASSERT_EQ(security.headers.size(), 2U);
  EXPECT_EQ(security.headers[0].value, "max-age=31536000");
  EXPECT_EQ(security.headers[1].name, "X-Frame-Options");
  EXPECT_THAT(security.users, ElementsAre(BasicAuthUser{"alice", kHash}));
  EXPECT_EQ(security.rate_limit, (RateLimit{std::chrono::milliseconds{100}, 20}));
}

TEST(WebConfig, ReadsEveryTypeOfClientAuthentication) {
  EXPECT_EQ(tls_of("client_auth_type: NoClientCert").client_auth, ClientAuth::kNone);
  EXPECT_EQ(tls_of("client_auth_type: ''").client_auth, ClientAuth::kNone);
  EXPECT_EQ(tls_of("client_auth_type: RequestClientCert").client_auth, ClientAuth::kRequest);
  EXPECT_EQ(tls_of("client_auth_type: RequireAnyClientCert").client_auth, ClientAuth::kRequireAny);
  EXPECT_EQ(tls_of("client_auth_type: RequireClientCert").client_auth, ClientAuth::kRequireAny);
  EXPECT_EQ(tls_of("client_auth_type: VerifyClientCertIfGiven, client_ca: x").client_auth,
            ClientAuth::kVerifyIfGiven);
  EXPECT_EQ(tls_of("client_auth_type: RequireAndVerifyClientCert, client_ca: x").client_auth,
            ClientAuth::kVerify);
}

TEST(WebConfig, DefaultsToBothVersionsAndNoSuiteOfCbc) {
  const TlsConfig tls = tls_of("");
  EXPECT_EQ(tls.min_version, TlsVersion::kTls12);
  EXPECT_EQ(tls.max_version, TlsVersion::kTls13);
  EXPECT_EQ(tls.tls13_suites.size(), 3U);
  EXPECT_THAT(names(tls.tls12_suites), Not(testing::Contains("ECDHE-RSA-AES128-SHA")));
  EXPECT_EQ(tls.tls12_suites.size(), 6U);
  EXPECT_TRUE(tls.prefer_server_suites);
}

TEST(WebConfig, LeavesTls12OutWhereOnlySuitesOfTls13AreNamed) {
  EXPECT_EQ(tls_of("cipher_suites: [TLS_AES_128_GCM_SHA256]").min_version, TlsVersion::kTls13);
}

struct Bad {
  std::string text;
  std::string problem;
};

/// Each has this one problem.
const std::vector<Bad>& bad_files() {
  static const std::vector<Bad> files = {
      {"tls_server_config: {cert_file: c}\n",
       "f:1:20: tls_server_config: expected one of key_file and key"},
      {"tls_server_config: {key: k}\n",
       "f:1:20: tls_server_config: expected one of cert_file and cert"},
      {tls_with("cert: c"),
       "f:1:54: tls_server_config.cert: expected only one of cert_file and cert, found both"},
      {tls_with("client_auth_type: Always"),
       "f:1:66: tls_server_config.client_auth_type: expected one of NoClientCert, "
       "RequestClientCert, RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, "
       "RequireAndVerifyClientCert, found \"Always\""},
      {tls_with("client_ca_file: x"),
       "f:1:64: tls_server_config.client_ca_file: needs a client_auth_type that asks for client "
       "certificates"},
      {tls_with("client_auth_type: RequireAndVerifyClientCert"),
       "f:1:66: tls_server_config.client_auth_type: needs client_ca_file or client_ca to verify "
       "certificates with"},
      {tls_with("client_auth_type: RequestClientCert, client_allowed_sans: [a]"),
       "f:1:106: tls_server_config.client_allowed_sans: needs client_auth_type "
       "RequireAnyClientCert or RequireAndVerifyClientCert"},
      {tls_with("client_auth_type: RequireAnyClientCert, client_allowed_sans: []"),
       "f:1:109: tls_server_config.client_allowed_sans: expected at least one name, found none: "
       "nobody could connect"},
      {tls_with("min_version: TLS11"),
       "f:1:61: tls_server_config.min_version: expected TLS12 or TLS13: older versions are "
       "broken"},
      {tls_with("max_version: SSL3"),
       "f:1:61: tls_server_config.max_version: expected TLS12 or TLS13, found \"SSL3\""},
      {tls_with("min_version: TLS13, max_version: TLS12"),
       "f:1:81: tls_server_config.max_version: is lower than min_version"},
      {tls_with("cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]"),
       "f:1:64: tls_server_config.cipher_suites: item 1: unknown or insecure cipher suite "
       "\"TLS_RSA_WITH_AES_128_CBC_SHA\""},
      {tls_with("cipher_suites: [TLS_AES_128_GCM_SHA256], max_version: TLS12"),
       "f:1:63: tls_server_config.cipher_suites: names no cipher suite of TLS 1.2, but max_version "
       "is TLS12"},
      {tls_with("curve_preferences: [CurveP256, P-384]"),
       "f:1:79: tls_server_config.curve_preferences: item 2: expected one of CurveP256, CurveP384, "
       "CurveP521, X25519, found \"P-384\""},
      {tls_with("prefer_server_cipher_suites: maybe"),
       "f:1:77: tls_server_config.prefer_server_cipher_suites: expected true or false, found "
       "\"maybe\""},
      {tls_with("certfile: x"),
       "f:1:48: tls_server_config: unknown key \"certfile\"; did you mean \"cert_file\"?"},
      {"http_server_config: {http2: true}\n",
       "f:1:29: http_server_config.http2: HTTP/2 is not supported: expected false, or no such key"},
      {"http_server_config: {headers: {Server: x}}\n",
       "f:1:32: http_server_config.headers: unknown key \"Server\""},
      {"http_server_config: {headers: {X-Frame-Options: DENY}}\n",
       "f:1:49: http_server_config.headers.X-Frame-Options: expected deny or sameorigin, found "
       "\"DENY\""},
      {"http_server_config: {headers: {X-Content-Type-Options: sniff}}\n",
       "f:1:56: http_server_config.headers.X-Content-Type-Options: expected nosniff, found "
       "\"sniff\""},
      {"http_server_config: {headers: {X-XSS-Protection: \"1\\r\\nSet-Cookie: a\"}}\n",
       "f:1:50: http_server_config.headers.X-XSS-Protection: expected printable ASCII"},
      {"http_server_config: {headers: {X-XSS-Protection: " + std::string(5000, 'x') + "}}\n",
       "f:1:50: http_server_config.headers.X-XSS-Protection: expected at most 4096 bytes"},
      {"basic_auth_users: alice:" + kHash + "\n",
       "f:1:19: basic_auth_users: expected a mapping, found a text"},
      {"basic_auth_users: [alice]\n", "f:1:19: basic_auth_users: expected a mapping, found a list"},
      {"basic_auth_users: {'a:b': " + kHash + "}\n",
       "f:1:27: basic_auth_users.a:b: a user's name cannot hold a colon"},
      {"basic_auth_users: {a: $2y$03" + kHash.substr(6) + "}\n",
       "f:1:23: basic_auth_users.a: expected a hash of bcrypt with a cost between 4 and 14, found "
       "3"},
      {"basic_auth_users: {a: $2y$31" + kHash.substr(6) + "}\n",
       "f:1:23: basic_auth_users.a: expected a hash of bcrypt with a cost between 4 and 14, found "
       "31"},
      {"rate_limit: {interval: 1s}\n",
       "f:1:13: rate_limit.burst: expected at least 1: no request would pass"},
      {"rate_limit: {interval: often, burst: 1}\n",
       "f:1:24: rate_limit.interval: expected a duration such as 15s, found \"often\""},
      {"tls_config: {}\n", "f:1:1: unknown key \"tls_config\""},
      {"basic_auth_users: {a: " + kHash + "}\nbasic_auth_users: {}\n",
       "f:2:1: duplicate key \"basic_auth_users\", first on line 1"},
      {"a: [", "f:1:5: cannot read this as YAML: end of sequence flow not found"},
  };
  return files;
}

TEST(WebConfig, TellsWhatIsWrongWithItsPlace) {
  for (const Bad& bad : bad_files()) {
    EXPECT_THAT(problems_of(bad.text), ElementsAre(bad.problem)) << bad.text;
  }
}

TEST(WebConfig, TellsEverythingThatIsWrongAtOnce) {
  const auto problems = problems_of(
      "basic_auth_users: {bob: plain, carol: x}\n"
      "http_server_config: {http2: true}\n"
      "tls_server_config: {min_version: TLS10, key: k}\n");
  EXPECT_THAT(problems,
              ElementsAre(HasSubstr("users.bob"), HasSubstr("users.carol"), HasSubstr("http2"),
                          HasSubstr("cert_file and cert"), HasSubstr("min_version")));
}

TEST(WebConfig, NeverShowsASecret) {
  const auto problems = problems_of(
      "basic_auth_users: {bob: s3cret, carol: [s3cret]}\n"
      "tls_server_config: {key: [s3cret], cert: {s3cret: 1}}\n");
  EXPECT_THAT(problems, Not(IsEmpty()));
  for (const std::string& problem : problems) EXPECT_THAT(problem, Not(HasSubstr("s3cret")));
}

TEST(BcryptHash, IsToldFromOthers) {
  const std::string tail = kHash.substr(3);
  for (const char* const kind : {"$2a", "$2b", "$2y"}) {
    EXPECT_TRUE(is_bcrypt_hash(kind + tail)) << kind;
  }
  for (const std::string& other :
       {std::string(), std::string("plain"), "$2x" + tail, "$1a" + tail, kHash + "a",
        kHash.substr(0, 59), "$2y$1x$" + kHash.substr(7), kHash.substr(0, 59) + ":",
        std::string("$apr1$abcdefgh$012345678901234567890")}) {
    EXPECT_FALSE(is_bcrypt_hash(other)) << other;
  }
}

TEST(WebConfig, ShowsNoSecretThatStandsInTheWrongPlace) {
  for (const std::string& text : {
           "basic_auth_users: {" + kHash + ": alice}\n",
           "basic_auth_users: {'bob:" + kHash + "': x}\n",
           "basic_auth_users:\n  alice: " + kHash + "\n  bob:" + kHash + "\n",
           "alice:" + kHash + "\n",
           kHash + ": alice\n",
           std::string("tls_server_config: {key_file: k, cert_file: c, min_version: "
                       "'-----BEGIN PRIVATE KEY----- MIIEvQ'}\n"),
       }) {
    const auto problems = problems_of(text);
    EXPECT_THAT(problems, Not(IsEmpty())) << text;
    for (const std::string& problem : problems) {
      EXPECT_THAT(problem, Not(HasSubstr(kHash.substr(0, 12)))) << text;
      EXPECT_THAT(problem, Not(HasSubstr("MIIE"))) << text;
    }
  }
}

}  // namespace
}  // namespace timewait::config
