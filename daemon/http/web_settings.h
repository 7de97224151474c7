#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "config/web_config.h"

namespace timewait {

class TlsContext;

/// What a web configuration file makes of the endpoint, ready for use. The default is plain HTTP
/// for everyone.
struct WebSettings {
  std::shared_ptr<const TlsContext> tls;  ///< null: plain HTTP
  std::vector<config::HeaderField> headers;
  std::vector<config::BasicAuthUser> users;
  std::optional<config::RateLimit> rate_limit;
};

/// The settings in force, shared between who reads the file and the HTTP thread. A mutex for the
/// reason that SnapshotStore has.
class WebSettingsStore {
 public:
  void publish(std::shared_ptr<const WebSettings> settings) {
    const std::scoped_lock lock(mutex_);
    current_ = std::move(settings);
  }

  /// Never null.
  std::shared_ptr<const WebSettings> current() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const WebSettings> current_ = std::make_shared<const WebSettings>();
};

}  // namespace timewait
