#include "daemon/http/tls_context.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "daemon/http/client_certificate.h"
#include "tests/support/certificates.h"

namespace timewait {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// The text of a certificate or key, as from line 7 of a file.
config::PemSource inline_source(const std::string& key, const std::string& text) {
  return {"tls_server_config." + key, {7, 3}, {}, text};
}

config::TlsConfig config_of(const test::Identity& identity) {
  config::TlsConfig config;
  config.certificate = inline_source("cert", identity.certificate);
  config.key = inline_source("key", identity.key);
  config.tls12_suites = {{"", "ECDHE-ECDSA-AES128-GCM-SHA256"}};
  config.tls13_suites = {{"", "TLS_AES_128_GCM_SHA256"}};
  return config;
}

std::vector<std::string> problems_of(const config::TlsConfig& config) {
  std::vector<std::string> texts;
  const auto collect = [&](const config::Problems& problems) {
    for (const config::Problem& problem : problems) texts.push_back(to_string("f", problem));
  };
  const auto material = read_tls_material(config);
  if (!material) {
    collect(material.error());
  } else if (const auto made = TlsContext::make(config, *material); !made) {
    collect(made.error());
  }
  return texts;
}

TEST(TlsContext, IsMadeOfACertificateAndItsKey) {
  config::TlsConfig config = config_of(test::make_identity());
  EXPECT_THAT(problems_of(config), IsEmpty());
  config.curves = {{"", "P-256"}, {"", "P-384"}, {"", "P-521"}, {"", "X25519"}};
  config.client_auth = config::ClientAuth::kVerify;
  config.client_ca = inline_source(
      "client_ca", test::make_identity().certificate + "\n" + test::make_identity().certificate);
  EXPECT_THAT(problems_of(config), IsEmpty());
}

TEST(TlsContext, TellsWhatIsNoCertificateAndNoKey) {
  const test::Identity good = test::make_identity();
  EXPECT_THAT(problems_of(config_of({"x", good.key})),
              ElementsAre("f:7:3: tls_server_config.cert: cannot be used: no start line"));
  EXPECT_THAT(problems_of(config_of({good.certificate, ""})),
              ElementsAre(StartsWith("f:7:3: tls_server_config.key: ")));
  EXPECT_THAT(problems_of(config_of({"", ""})),
              ElementsAre(HasSubstr("config.cert: "), HasSubstr("config.key: ")));
}

TEST(TlsContext, TellsAKeyOfAnotherCertificate) {
  const config::TlsConfig config =
      config_of({test::make_identity().certificate, test::make_identity().key});
  EXPECT_THAT(problems_of(config), ElementsAre(AllOf(StartsWith("f:7:3: tls_server_config.key: "),
                                                     HasSubstr("key values mismatch"))));
}

std::string make_rsa_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(BIO_new(BIO_s_mem()), BIO_free);
  EXPECT_EQ(PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(pem.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TEST(TlsContext, TellsAKeyOfAnotherType) {
  EXPECT_THAT(problems_of(config_of({test::make_identity().certificate, make_rsa_key()})),
              ElementsAre("f:7:3: tls_server_config.key: does not fit the certificate"));
}

TEST(TlsContext, RefusesAnEncryptedAuthorityWithoutAskingForItsPassphrase) {
  config::TlsConfig config = config_of(test::make_identity());
  config.client_auth = config::ClientAuth::kVerify;
  config.client_ca = inline_source("client_ca",
                                   "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                                   "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                                   "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("client_ca: certificate 1: ")));
}

TEST(TlsContext, RefusesAKeyWithAPassphraseWithoutAskingForIt) {
  const config::TlsConfig config = config_of(test::make_identity("DNS:a", "passphrase"));
  EXPECT_THAT(problems_of(config), ElementsAre(StartsWith("f:7:3: tls_server_config.key: ")));
}

TEST(TlsContext, TellsAnAuthorityThatIsNone) {
  config::TlsConfig config = config_of(test::make_identity());
  config.client_auth = config::ClientAuth::kVerify;
  config.client_ca = inline_source("client_ca", "nothing");
  EXPECT_THAT(problems_of(config),
              ElementsAre("f:7:3: tls_server_config.client_ca: holds no certificate in PEM"));
  config.client_ca.text = test::make_identity().certificate +
                          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("client_ca: certificate 2: ")));
}

TEST(TlsContext, TellsEveryFileThatCannotBeRead) {
  const std::filesystem::path directory = testing::TempDir();
  config::TlsConfig config = config_of(test::make_identity());
  config.certificate.file = directory / "absent.crt";
  config.key.file = directory;
  EXPECT_THAT(
      problems_of(config),
      ElementsAre("f:7:3: tls_server_config.cert: \"" + config.certificate.file.string() +
                      "\": cannot read the file: No such file or directory",
                  "f:7:3: tls_server_config.key: \"" + directory.string() + "\": is a directory"));
}

TEST(TlsContext, RefusesAFileThatIsTooLarge) {
  const std::filesystem::path file =
      testing::TempDir() + "large" + std::to_string(::getpid()) + ".pem";
  std::ofstream(file) << std::string((std::size_t{1} << 20U) + 1, ' ');
  config::TlsConfig config = config_of(test::make_identity());
  config.key.file = file;
  EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr(": is larger than 1048576 bytes")));
  std::filesystem::remove(file);
}

TEST(TlsContext, NeverShowsAKey) {
  config::TlsConfig config = config_of(test::make_identity());
  config.key.text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
  EXPECT_THAT(problems_of(config), ElementsAre(Not(HasSubstr("c2VjcmV0"))));
}

TEST(SubjectAlternativeNames, AreOfEveryKindThatMayBeListed) {
  const test::Identity identity = test::make_identity(
      "DNS:a.example,email:b@example,URI:spiffe://c/d,IP:192.0.2.1,IP:2001:db8::1,"
      "IP:::ffff:192.0.2.2,RID:1.2.3");
  BIO* const bio = BIO_new_mem_buf(identity.certificate.data(), -1);
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EXPECT_THAT(subject_alternative_names(certificate),
              ElementsAre("a.example", "b@example", "spiffe://c/d", "192.0.2.1", "2001:db8::1",
                          "192.0.2.2"));
  X509_free(certificate);
  BIO_free(bio);
}

}  // namespace
}  // namespace timewait
