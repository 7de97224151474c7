#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>
#include <tl/expected.hpp>

#include "config/problem.h"
#include "config/web_config.h"

namespace timewait {

/// The texts of what a configuration of TLS names, in PEM.
struct TlsMaterial {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

/// Reads the files. Each that cannot be read is a problem at the place where it is named.
tl::expected<TlsMaterial, config::Problems> read_tls_material(const config::TlsConfig& config);

/// What TLS connections are made with: certificate, versions, suites, and what is asked of clients.
/// Sessions are not resumed: a client's certificate is judged on each connection. Immutable, and
/// outlives the connections made with it.
class TlsContext {
 public:
  /// What OpenSSL does not take is a problem at the place where it was given; its message names the
  /// file and never shows a key.
  static tl::expected<std::shared_ptr<const TlsContext>, config::Problems> make(
      const config::TlsConfig& config, const TlsMaterial& material);

  /// For boost::asio::ssl::stream, which wants it mutable.
  boost::asio::ssl::context& context() const { return context_; }

 private:
  explicit TlsContext(const config::TlsConfig& config);
  static int verify_client(X509_STORE_CTX* store, void* self);
  void ask_clients(config::ClientAuth client_auth);

  mutable boost::asio::ssl::context context_;
  std::vector<std::string> allowed_sans_;
  bool verifies_;
};

}  // namespace timewait
