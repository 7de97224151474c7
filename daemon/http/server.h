#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "daemon/http/listener.h"
#include "daemon/http/open_listeners.h"
#include "daemon/http/request_handler.h"
#include "daemon/http/web_settings.h"
#include "daemon/log.h"

namespace timewait {

/// Every deadline is absolute: a peer cannot prolong it by sending or taking a little.
struct ServerLimits {
  /// With so many open, a new connection takes the place of the one that has been idle longest
  /// (that waits for a request or has not finished its header); if none is, the new one is closed.
  std::size_t max_connections = 512;
  /// For a whole request header, from its first byte on; for the first one from the connection on.
  std::chrono::milliseconds header{5'000};
  /// For a whole reply.
  std::chrono::milliseconds write{10'000};
  /// Between a reply and the next request's first byte.
  std::chrono::milliseconds idle{120'000};
  /// For a whole TLS handshake, from the connection on; then the header's time begins.
  std::chrono::milliseconds handshake{5'000};
};

/// An HTTP/1.0 and 1.1 server with keep-alive and pipelining, on one thread of its own, which has
/// the signal mask of the thread that made the server; passwords are checked on a second one. TLS
/// and what else the settings say holds for connections and requests from its publication on.
///
/// A header of more than 8 KiB gets 431, a malformed one 400, and one that announces a body 413
/// where it would else get 200, without the body being read; then the connection is closed. Bodies
/// are sent from where the reply's owner holds them.
class Server {
 public:
  /// Serves from now on. The handler, the settings and the log outlive the server. Throws
  /// std::system_error where the process may not have another descriptor or thread; nothing else
  /// here throws.
  Server(std::vector<Listener> listeners, const RequestHandler& handler,
         const WebSettingsStore& web, const ServerLimits& limits, const Log& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;
  ~Server();

  /// Listens on the opened sockets too, and no longer on the closed ones, once it has accepted what
  /// waits there. Open connections stay. Returns when it is in effect, or when the server's thread
  /// has not come to it for so long; then it takes effect later.
  void reconfigure(ListenerChange change, std::size_t max_connections,
                   std::chrono::milliseconds patience);

  /// Closes every socket, unfinished replies included, and joins the threads; takes milliseconds,
  /// or until the password check that is under way is over.
  /// May be called again, but from one thread at a time. The destructor does it too.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace timewait
