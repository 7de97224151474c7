#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "config/web_config.h"
#include "daemon/published.h"

namespace timewait {

class TlsContext;

/// What a web configuration file makes of the endpoint, ready for use. The default is plain HTTP
/// for everyone.
struct WebSettings {
  std::shared_ptr<const TlsContext> tls;  ///< null: plain HTTP
  std::vector<config::HeaderField> headers;
  std::vector<config::BasicAuthUser> users;
  std::optional<config::RateLimit> rate_limit;
  bool verifies_clients = false;  ///< nobody connects without a certificate of the authority
};

/// Whether TLS, passwords or verified client certificates are asked for before, and no longer now.
bool protects_less(const WebSettings& now, const WebSettings& before);

/// The settings in force. Never null.
class WebSettingsStore : public Published<WebSettings> {
 public:
  WebSettingsStore() : Published(std::make_shared<const WebSettings>()) {}
};

}  // namespace timewait
