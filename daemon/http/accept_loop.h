#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "collectors/steady_time.h"
#include "daemon/http/connection_table.h"
#include "daemon/http/listener.h"
#include "daemon/http/session.h"
#include "daemon/http/tls_context.h"

namespace timewait {

/// Makes sessions of what connects to one listening socket. Kept alive by the operation that it
/// waits for, until it is closed.
class AcceptLoop : public std::enable_shared_from_this<AcceptLoop> {
 public:
  AcceptLoop(boost::asio::io_context& io, Listener listener, SessionContext& context)
      : listener_(std::move(listener)), acceptor_(io), pause_(io), context_(context) {
    // The family does not matter for a socket that is open already.
    acceptor_.assign(StreamProtocol(AF_UNSPEC, 0), listener_->release());
    acceptor_.non_blocking(true);
  }

  void start() {
    // Not async_accept: accept() fails for lack of a descriptor even while nobody connects.
    acceptor_.async_wait(Acceptor::wait_read, [self = shared_from_this()](ErrorCode error) {
      if (self->is_closed()) return;
      if (error) return self->back_off(error);
      self->accept();
    });
  }

  const std::string& address() const { return listener_->address(); }

  /// Accepts what waits, up to as many as there may be connections, then no more.
  void close() {
    ErrorCode ignored;
    for (std::size_t i = 0; i < context_.limits.max_connections; ++i) {
      const ErrorCode error = accept_one();
      if (error && error != boost::asio::error::connection_aborted) break;
    }
    acceptor_.close(ignored);
    pause_.cancel();
    listener_.reset();
  }

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<StreamProtocol>;
  using ErrorCode = boost::system::error_code;

  // Fixed: the kernel's automatic one grows to megabytes for each client that does not read.
  static constexpr int kSendBuffer = 64 * 1024;
  static constexpr std::chrono::milliseconds kAcceptPause{100};
  static constexpr std::chrono::minutes kAcceptLogPause{1};

  bool is_closed() const { return !listener_.has_value(); }

  static bool needs_descriptor(ErrorCode error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system;
  }

  void accept() {
    const ErrorCode error = accept_one();
    const bool is_gone =
        error == boost::asio::error::would_block || error == boost::asio::error::connection_aborted;
    if (error && !is_gone) return back_off(error);
    start();
  }

  ErrorCode accept_one() {
    ErrorCode error;
    StreamProtocol::socket socket = acceptor_.accept(error);
    if (needs_descriptor(error) && context_.connections.close_longest_idle()) {
      socket = acceptor_.accept(error);
    }
    if (error) return error;
    try {
      admit(std::move(socket));
    } catch (const std::exception& exception) {  // no memory for this one; the next may have some
      context_.log.error("a connection was not served", {{"error", exception.what()}});
    }
    return error;
  }

  void admit(StreamProtocol::socket socket) {
    ConnectionTable& connections = context_.connections;
    while (connections.size() >= context_.limits.max_connections) {
      if (!connections.close_longest_idle()) return;
    }
    ErrorCode ignored;  // a Unix socket has no such option
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::send_buffer_size(kSendBuffer), ignored);
    PlainStream stream(std::move(socket));
    if (const auto tls = context_.web.current()->tls) {
      TlsStream encrypted(std::move(stream), tls->context());
      std::make_shared<Session<TlsStream>>(std::move(encrypted), context_, tls)->start();
    } else {
      std::make_shared<Session<PlainStream>>(std::move(stream), context_)->start();
    }
  }

  // Mostly the process or the host is out of descriptors and no idle connection can give way: the
  // new one stays in the queue, and an accept without a pause would spin.
  void back_off(ErrorCode error) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= quiet_until_) {
      quiet_until_ = now + kAcceptLogPause;
      context_.log.warn("cannot accept connections",
                        {{"address", address()}, {"error", error.message()}});
    }
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](ErrorCode) {
      if (!self->is_closed()) self->start();
    });
  }

  std::optional<Listener> listener_;  ///< until it is closed
  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  SessionContext& context_;
  SteadyTime quiet_until_ = SteadyTime::min();
};

}  // namespace timewait
