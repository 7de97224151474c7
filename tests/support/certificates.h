#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace timewait::test {

struct Identity {
  std::string certificate;  ///< in PEM
  std::string key;          ///< in PEM
};

inline std::string take_pem(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

/// The same key in PEM, enciphered if there is a passphrase.
inline std::string key_pem(EVP_PKEY* key, const char* passphrase) {
  BIO* const bio = BIO_new(BIO_s_mem());
  const auto* const cipher = passphrase == nullptr ? nullptr : EVP_aes_128_cbc();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): OpenSSL only reads it.
  PEM_write_bio_PrivateKey(bio, key, cipher, nullptr, 0, nullptr, const_cast<char*>(passphrase));
  return take_pem(bio);
}

/// A new key of the curve P-256 and a certificate for it, signed by itself and valid for a day.
/// `names` are subject alternative names as in openssl.cnf, such as `DNS:a,IP:192.0.2.1`.
inline Identity make_identity(const std::string& names = "DNS:localhost",
                              const char* passphrase = nullptr) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_set_pubkey(certificate, key);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate, key, EVP_sha256());
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  Identity identity{take_pem(bio), key_pem(key, passphrase)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return identity;
}

}  // namespace timewait::test
