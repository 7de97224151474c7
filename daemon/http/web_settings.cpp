#include "daemon/http/web_settings.h"

namespace timewait {

bool protects_less(const WebSettings& now, const WebSettings& before) {
  return (before.tls && !now.tls) || (!before.users.empty() && now.users.empty()) ||
         (before.verifies_clients && !now.verifies_clients);
}

}  // namespace timewait
