#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/basic_auth.h"
#include "daemon/http/message.h"
#include "daemon/http/rate_limit.h"
#include "daemon/http/web_settings.h"

namespace timewait {

/// What a web configuration file makes of a request, before anything is done about it.
struct Admission {
  std::optional<HttpResponse> refusal;  ///< the reply instead
  /// Whose headers the reply gets; null for those that are too many, which get none.
  std::shared_ptr<const WebSettings> settings;
};

/// Every request passes it, in the order of exporter-toolkit: the rate limit, then the password.
/// For one thread.
class Gate {
 public:
  /// Called once, within admit() or later on another thread; destroyed uncalled if the gate is
  /// destroyed first.
  using Done = std::function<void(Admission)>;

  /// The store outlives the gate.
  explicit Gate(const WebSettingsStore& store) : store_(store) {}

  /// `authorization` is the value of that field, empty if there is none; `peer` is peer_network().
  void admit(std::string_view authorization, std::string peer, Done done);

 private:
  const WebSettingsStore& store_;
  RateLimiter rate_limiter_;
  BasicAuth basic_auth_;
};

}  // namespace timewait
