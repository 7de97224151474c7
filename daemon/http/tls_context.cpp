#include "daemon/http/tls_context.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "config/file.h"
#include "config/quote.h"
#include "daemon/http/client_certificate.h"

namespace timewait {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using config::ClientAuth;
using config::PemSource;
using config::Problem;
using config::Problems;

Problem problem_of(const PemSource& source, std::string_view message) {
  std::string text = source.key + ": ";
  if (!source.file.empty()) text += config::in_quotes(source.file.string()) + ": ";
  return {source.place, text + std::string(message)};
}

std::string read_source(const PemSource& source, Problems& problems) {
  if (source.file.empty()) return source.text;
  auto text = config::read_file(source.file, config::Pipes::kRefused);
  if (text && text->size() > config::kMaxFileBytes) {
    text = tl::make_unexpected(config::larger_than_allowed());
  }
  if (text) return *std::move(text);
  problems.push_back(problem_of(source, text.error()));
  return {};
}

/// What OpenSSL has last complained about on this thread.
std::string openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason == nullptr ? "refused by OpenSSL" : reason;
}

/// Asio's error is mostly just that there was one.
Problem unusable(const PemSource& source, const error_code& error) {
  const bool is_told = ERR_peek_last_error() != 0;
  return problem_of(source, "cannot be used: " + (is_told ? openssl_error() : error.message()));
}

std::string joined(std::span<const config::TlsName> names) {
  std::string text;
  for (const config::TlsName& name : names) {
    if (!text.empty()) text += ':';
    text += name.openssl;
  }
  return text;
}

int protocol(config::TlsVersion version) {
  return version == config::TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

/// True if OpenSSL has taken everything; these are names from a list of our own.
bool set_protocol(SSL_CTX* context, const config::TlsConfig& config) {
  std::uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
  if (config.prefer_server_suites) options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
  SSL_CTX_set_options(context, options);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  const std::string suites = joined(config.tls12_suites);
  return SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_min_proto_version(context, protocol(config.min_version)) == 1 &&
         SSL_CTX_set_max_proto_version(context, protocol(config.max_version)) == 1 &&
         (suites.empty() || SSL_CTX_set_cipher_list(context, suites.c_str()) == 1) &&
         SSL_CTX_set_ciphersuites(context, joined(config.tls13_suites).c_str()) == 1 &&
         (config.curves.empty() ||
          SSL_CTX_set1_groups_list(context, joined(config.curves).c_str()) == 1);
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

/// The next certificate; null at the end, and where there is what is none.
Certificate next_certificate(BIO* pem) {
  // Else OpenSSL would ask the terminal for the passphrase of one that is encrypted.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  return Certificate(PEM_read_bio_X509(pem, nullptr, no_passphrase, nullptr));
}

/// Trusts each certificate of the text by itself, as Go does: also one that another has signed.
std::string add_client_ca(SSL_CTX* context, const std::string& text) {
  const std::unique_ptr<BIO, FreeBio> pem(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  std::size_t count = 0;
  while (const Certificate certificate = next_certificate(pem.get())) {
    ++count;
    if (X509_STORE_add_cert(store, certificate.get()) != 1 ||
        SSL_CTX_add_client_CA(context, certificate.get()) != 1) {
      return openssl_error();
    }
  }
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string error = openssl_error();
  if (!is_end) return "certificate " + std::to_string(count + 1) + ": " + error;
  return count == 0 ? "holds no certificate in PEM" : "";
}

}  // namespace

tl::expected<TlsMaterial, Problems> read_tls_material(const config::TlsConfig& config) {
  Problems problems;
  TlsMaterial material{read_source(config.certificate, problems), read_source(config.key, problems),
                       read_source(config.client_ca, problems)};
  if (!problems.empty()) return tl::make_unexpected(std::move(problems));
  return material;
}

TlsContext::TlsContext(const config::TlsConfig& config)
    : context_(ssl::context::tls_server),
      allowed_sans_(config.client_allowed_sans),
      verifies_(config.client_auth == ClientAuth::kVerifyIfGiven ||
                config.client_auth == ClientAuth::kVerify) {}

tl::expected<std::shared_ptr<const TlsContext>, Problems> TlsContext::make(
    const config::TlsConfig& config, const TlsMaterial& material) {
  const std::shared_ptr<TlsContext> made(new TlsContext(config));
  ssl::context& context = made->context_;
  Problems problems;
  ERR_clear_error();
  if (!set_protocol(context.native_handle(), config)) {
    problems.push_back({config.certificate.place, "tls_server_config: " + openssl_error()});
  }
  error_code error;
  // Else OpenSSL would ask the terminal for the passphrase of a key that has one.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; });
  context.use_certificate_chain(boost::asio::buffer(material.certificate), error);
  if (error) problems.push_back(unusable(config.certificate, error));
  context.use_private_key(boost::asio::buffer(material.key), ssl::context::pem, error);
  if (error) problems.push_back(unusable(config.key, error));
  // OpenSSL compares the two by itself only where they are of one type.
  if (problems.empty() && SSL_CTX_check_private_key(context.native_handle()) != 1) {
    ERR_clear_error();
    problems.push_back(problem_of(config.key, "does not fit the certificate"));
  }
  if (config.client_ca.is_given()) {
    const std::string refusal = add_client_ca(context.native_handle(), material.client_ca);
    if (!refusal.empty()) problems.push_back(problem_of(config.client_ca, refusal));
  }
  if (!problems.empty()) return tl::make_unexpected(std::move(problems));
  made->ask_clients(config.client_auth);
  return made;
}

void TlsContext::ask_clients(ClientAuth client_auth) {
  SSL_CTX* const context = context_.native_handle();
  int mode = SSL_VERIFY_PEER;
  if (client_auth == ClientAuth::kNone) mode = SSL_VERIFY_NONE;
  if (client_auth == ClientAuth::kRequireAny || client_auth == ClientAuth::kVerify) {
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  SSL_CTX_set_verify(context, mode, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_client, this);
}

int TlsContext::verify_client(X509_STORE_CTX* store, void* self) {
  const auto& context = *static_cast<const TlsContext*>(self);
  if (context.verifies_ && X509_verify_cert(store) != 1) return 0;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  if (context.allowed_sans_.empty()) return 1;
  const auto names = subject_alternative_names(X509_STORE_CTX_get0_cert(store));
  const bool allowed = std::ranges::any_of(names, [&](const std::string& name) {
    return std::ranges::find(context.allowed_sans_, name) != context.allowed_sans_.end();
  });
  if (!allowed) X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return allowed ? 1 : 0;
}

}  // namespace timewait
