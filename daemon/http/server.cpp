#include "daemon/http/server.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/http/accept_loop.h"
#include "daemon/http/session.h"

namespace timewait {

class Server::Impl {
 public:
  Impl(std::vector<Listener> listeners, const RequestHandler& handler, const WebSettingsStore& web,
       const ServerLimits& limits, const Log& log)
      : sessions_{handler, web, log, limits, {}, &gate_}, gate_(web) {
    for (Listener& listener : listeners) listen(std::move(listener));
    return_memory_now_and_then();
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

  std::future<void> reconfigure(ListenerChange change, std::size_t max_connections) {
    std::promise<void> promise;
    std::future<void> done = promise.get_future();
    boost::asio::post(context_, [this, change = std::move(change), max_connections,
                                 promise = std::move(promise)]() mutable {
      sessions_.limits.max_connections = max_connections;
      std::erase_if(loops_, [&](const std::shared_ptr<AcceptLoop>& loop) {
        if (std::ranges::find(change.closed, loop->address()) == change.closed.end()) return false;
        loop->close();
        return true;
      });
      for (Listener& listener : change.opened) listen(std::move(listener));
      promise.set_value();
    });
    return done;
  }

 private:
  static constexpr std::chrono::seconds kMemoryPause{5};

  void listen(Listener listener) {
    loops_.push_back(std::make_shared<AcceptLoop>(context_, std::move(listener), sessions_));
    loops_.back()->start();
  }

  // Of what a connection took, 84 KiB with TLS, the heap keeps what lies below a piece that is in
  // use.
  void return_memory_now_and_then() {
    memory_timer_.expires_after(kMemoryPause);
    memory_timer_.async_wait([this](boost::system::error_code) {
      if (sessions_.connections.take_shrinkage()) ::malloc_trim(0);
      return_memory_now_and_then();
    });
  }

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
  boost::asio::steady_timer memory_timer_{context_};
  Gate gate_;
  std::vector<std::shared_ptr<AcceptLoop>> loops_;
  std::jthread thread_;
};

Server::Server(std::vector<Listener> listeners, const RequestHandler& handler,
               const WebSettingsStore& web, const ServerLimits& limits, const Log& log)
    : impl_(std::make_unique<Impl>(std::move(listeners), handler, web, limits, log)) {}

Server::~Server() = default;

void Server::reconfigure(ListenerChange change, std::size_t max_connections,
                         std::chrono::milliseconds patience) {
  impl_->reconfigure(std::move(change), max_connections).wait_for(patience);
}

void Server::stop() { impl_.reset(); }

}  // namespace timewait
