#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "config/listen_address.h"
#include "daemon/http/listener.h"

namespace timewait {

/// Sockets to be opened and closed so that others are listened on than before.
struct ListenerChange {
  std::vector<Listener> opened;
  std::vector<std::string> closed;  ///< Listener::address() of each
};

/// Keeps account of what is listened on for which configured address, while the sockets themselves
/// are the server's.
class OpenListeners {
 public:
  /// What has to change for these addresses, each once, to be listened on. The new ones are open
  /// already, while the old ones still serve; an address that stays keeps its socket, also with
  /// port 0. The error is listen_on's.
  tl::expected<ListenerChange, std::string> open(
      const std::vector<config::ListenAddress>& addresses);

  /// The last change is in effect.
  void commit();

 private:
  struct Open {
    config::ListenAddress asked_for;
    std::string address;  ///< that is bound
    int descriptor = -1;
  };

  std::vector<Open> open_;
  std::vector<Open> next_;
};

}  // namespace timewait
