// Input: a line that is taken for an Authorization field, and a web configuration file.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "config/web_config.h"
#include "daemon/http/credentials.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;
using namespace timewait::config;
using fuzz::require;

void check(const Problems& problems) {
  for (const Problem& problem : problems) {
    require(fuzz::is_printable(to_string("file", problem)), "a message is printable ASCII");
    require(problem.message.size() < fuzz::kSaneLength, "a message has a sane length");
  }
}

void check(const PemSource& source) {
  require(source.is_given(), "what is needed is given");
  require(source.file.empty() != source.text.empty(), "it is a file or a text");
  require(source.file.empty() || source.file.is_absolute(), "a file is below the directory");
  require(source.place.line > 0, "its place is known");
}

void check(const TlsConfig& tls) {
  check(tls.certificate);
  check(tls.key);
  const bool verifies =
      tls.client_auth == ClientAuth::kVerify || tls.client_auth == ClientAuth::kVerifyIfGiven;
  if (verifies) check(tls.client_ca);
  require(tls.min_version <= tls.max_version, "a version is left");
  require(!tls.tls13_suites.empty(), "a suite of TLS 1.3 is left");
  require(tls.min_version == TlsVersion::kTls13 || !tls.tls12_suites.empty(),
          "a suite of TLS 1.2 is left");
}

void check(const WebSecurity& security) {
  if (security.tls) check(*security.tls);
  for (const HeaderField& field : security.headers) {
    require(fuzz::is_printable(field.value), "a header has no line break");
  }
  for (const BasicAuthUser& user : security.users) {
    require(is_bcrypt_hash(user.bcrypt_hash), "a password is hashed");
    require(user.name.find(':') == std::string::npos, "a name can be given");
  }
  if (security.rate_limit) {
    require(security.rate_limit->interval.count() > 0, "an interval is no instant");
    require(security.rate_limit->burst > 0, "a request may pass");
  }
}

void check_credentials(std::string_view field) {
  const auto credentials = parse_credentials(field);
  if (!credentials) return;
  require(credentials->name.find(':') == std::string::npos, "a name ends before the colon");
  const std::string pair = credentials->name + ":" + credentials->password;
  require(pair.find('\0') == std::string::npos, "nothing is lost in a C string");
  require(pair.size() < field.size(), "decoding makes nothing longer");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::as_text({data, size});
  const std::size_t end = std::min(input.find('\n'), input.size());
  check_credentials(input.substr(0, end));
  const auto loaded = parse_web_config(input.substr(std::min(end + 1, input.size())), "/etc/web");
  check(loaded.problems);
  if (loaded.problems.empty()) check(loaded.security);
  return 0;
}
