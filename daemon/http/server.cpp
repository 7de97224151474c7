#include "daemon/http/server.h"

#include <deque>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/http/accept_loop.h"
#include "daemon/http/session.h"

namespace timewait {

class Server::Impl {
 public:
  Impl(std::vector<Listener> listeners, const RequestHandler& handler, const WebSettingsStore& web,
       const ServerLimits& limits, const Log& log)
      : sessions_{handler, web, log, limits, {}, nullptr} {
    sessions_.gate = &gate_.emplace(web);
    for (Listener& listener : listeners) {
      loops_.emplace_back(context_, std::move(listener), sessions_).start();
    }
    thread_ = std::jthread([this] { run(); });
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  ~Impl() {
    context_.stop();
    thread_.join();
    sessions_.connections.close_all();
  }

 private:
  // Only a lack of memory throws in a handler: its connection is gone with it, the others go on.
  void run() {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& error) {
        sessions_.log.error("an HTTP connection failed", {{"error", error.what()}});
      }
    }
  }

  // In this order: the gate's thread ends while there is a context that its replies go to, and a
  // session that ends with either of them finds the table of connections.
  SessionContext sessions_;
  boost::asio::io_context context_{1};
  std::optional<Gate> gate_;
  std::deque<AcceptLoop> loops_;
  std::jthread thread_;
};

Server::Server(std::vector<Listener> listeners, const RequestHandler& handler,
               const WebSettingsStore& web, const ServerLimits& limits, const Log& log)
    : impl_(std::make_unique<Impl>(std::move(listeners), handler, web, limits, log)) {}

Server::~Server() = default;

void Server::stop() { impl_.reset(); }

}  // namespace timewait
