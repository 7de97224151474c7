#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "daemon/http/beast_request.h"
#include "daemon/http/beast_response.h"
#include "daemon/http/connection_table.h"
#include "daemon/http/gate.h"
#include "daemon/http/peer.h"
#include "daemon/http/request_handler.h"
#include "daemon/http/server.h"
#include "daemon/http/web_settings.h"
#include "daemon/log.h"

namespace timewait {

/// One protocol for TCP of both families and for Unix sockets, which differ in nothing here.
using StreamProtocol = boost::asio::generic::stream_protocol;
using PlainStream = boost::beast::basic_stream<StreamProtocol>;

using TlsStream = boost::beast::ssl_stream<PlainStream>;

/// What every session uses.
struct SessionContext {
  const RequestHandler& handler;
  const WebSettingsStore& web;
  const Log& log;
  ServerLimits limits;
  ConnectionTable connections;
  Gate* gate;  ///< not null
};

/// One connection, from request to request, on the thread of the server. Kept alive by the
/// operation or the reply that it waits for. `Stream` is PlainStream or TlsStream.
template <class Stream>
class Session final : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  /// `owner` is held as long as the session lives.
  Session(Stream stream, SessionContext& context, std::shared_ptr<const void> owner = nullptr)
      : owner_(std::move(owner)), stream_(std::move(stream)), context_(context) {
    context_.connections.add(*this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session() override { context_.connections.remove(*this); }

  void start() {
    if constexpr (kIsTls) {
      shake_hands();
    } else {
      read_header();
    }
  }

  void close() override {
    context_.connections.remove(*this);
    closed_ = true;
    lowest().close();
  }

 private:
  using ErrorCode = boost::system::error_code;
  using HttpError = boost::beast::http::error;

  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;
  static constexpr std::uint32_t kHeaderLimit = 8 * 1024;
  static constexpr std::size_t kFirstRead = 512;
  // For the peer's close_notify, which nothing depends on.
  static constexpr std::chrono::seconds kFarewell{1};

  auto& lowest() { return boost::beast::get_lowest_layer(stream_); }

  void shake_hands() {
    lowest().expires_after(context_.limits.handshake);
    stream_.async_handshake(
        boost::asio::ssl::stream_base::server, [self = this->shared_from_this()](ErrorCode error) {
          if (self->closed_) return;
          if (!error) return self->read_header();
          // Not louder: it is for anyone to cause.
          self->context_.log.debug("a TLS handshake failed", {{"error", error.message()}});
        });
  }

  void wait_for_request() {
    lowest().expires_after(context_.limits.idle);
    stream_.async_read_some(buffer_.prepare(kFirstRead),
                            [self = this->shared_from_this()](ErrorCode error, std::size_t size) {
                              if (self->closed_) return;
                              if (error) return self->on_end(error);
                              self->buffer_.commit(size);
                              self->read_header();
                            });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(boost::none);
    lowest().expires_after(context_.limits.header);
    boost::beast::http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](ErrorCode error, std::size_t size) {
          if (!self->closed_) self->on_header(error, size);
        });
  }

  void on_header(ErrorCode error, std::size_t size) {
    // Beast applies its limit to the first line and to the fields separately.
    if (error == HttpError::header_limit || error == HttpError::buffer_overflow ||
        (!error && size > kHeaderLimit)) {
      return refuse(431, "the header is too large\n");
    }
    if (!error) return on_request(parser_->get());
    const bool malformed = error.category() == make_error_code(HttpError::bad_method).category();
    const bool ended = error == HttpError::end_of_stream || error == HttpError::partial_message;
    if (malformed && !ended) return refuse(400, "malformed request\n");
    on_end(error);
  }

  /// The peer has closed, or cannot be read from any more. With TLS it says so before its FIN: a
  /// close in between would be the first one, and leave TIME-WAIT here.
  void on_end(ErrorCode error) {
    if constexpr (kIsTls) {
      if (error != boost::asio::error::eof && error != HttpError::end_of_stream) return;
      lowest().expires_after(kFarewell);
      stream_.async_shutdown([self = this->shared_from_this()](ErrorCode) {
        if (!self->closed_) self->wait_for_fin();
      });
    }
  }

  void wait_for_fin() {
    buffer_.clear();
    lowest().async_read_some(buffer_.prepare(kFirstRead),
                             [self = this->shared_from_this()](ErrorCode, std::size_t) {
                               if (!self->closed_) self->close();
                             });
  }

  void on_request(const BeastRequest& request) {
    if (lacks_host(request)) return refuse(400, "malformed request: one Host field is needed\n");
    // What follows a body that is not read cannot be told from it.
    form_ = {request.version(), request.keep_alive() && !has_body(*parser_),
             request.method() == boost::beast::http::verb::head};
    // Not idle while it waits for its reply, however long that takes.
    context_.connections.set_busy(*this);
    const auto authorization = to_view(request[boost::beast::http::field::authorization]);
    context_.gate->admit(authorization, authorization.empty() ? std::string() : peer(), admitted());
  }

  std::string peer() {
    ErrorCode ignored;
    const auto endpoint = lowest().socket().remote_endpoint(ignored);
    return peer_network({static_cast<const std::byte*>(static_cast<const void*>(endpoint.data())),
                         endpoint.size()});
  }

  Gate::Done admitted() {
    return on_own_thread<Admission>([](Session& session, Admission admission) {
      session.settings_ = std::move(admission.settings);
      if (admission.refusal) return session.on_response(std::move(admission.refusal));
      session.answer(session.parser_->get());
    });
  }

  void answer(const BeastRequest& request) {
    namespace http = boost::beast::http;
    const std::string accept = joined(request, http::field::accept);
    const std::string accept_encoding = joined(request, http::field::accept_encoding);
    context_.handler.answer({to_view(request.method_string()), to_view(request.target()), accept,
                             accept_encoding, has_body(*parser_)},
                            responder());
  }

  Responder responder() {
    return Responder(on_own_thread<std::optional<HttpResponse>>(
        [](Session& session, std::optional<HttpResponse> response) {
          session.on_response(std::move(response));
        }));
  }

  /// What calls `next` on the thread of the server, itself called on any thread, once. The session
  /// goes with the call, lest it end on the other thread.
  template <class Result, class Next>
  std::function<void(Result)> on_own_thread(Next next) {
    return [executor = stream_.get_executor(), self = this->shared_from_this(),
            next](Result result) mutable {
      boost::asio::dispatch(executor,
                            [self = std::move(self), next, result = std::move(result)]() mutable {
                              if (!self->closed_) next(*self, std::move(result));
                            });
    };
  }

  void on_response(std::optional<HttpResponse> response) {
    if (!response) return close();
    send(*std::move(response));
  }

  void refuse(unsigned status, std::string_view text) {
    form_ = {};
    settings_ = nullptr;
    send(text_response(status, text));
  }

  void send(HttpResponse response) {
    context_.connections.set_busy(*this);
    response_ = std::move(response);
    static const WebSettings none;
    message_.emplace(make_message(response_, form_, (settings_ ? *settings_ : none).headers));
    serializer_.emplace(*message_);

    // Until the reply is out, a close is to drop what the peer has not taken: of a peer that does
    // not read, the kernel would else keep megabytes for minutes.
    set_linger(true);
    lowest().expires_after(context_.limits.write);
    auto done = [self = this->shared_from_this()](ErrorCode error, std::size_t) {
      if (!error && !self->closed_) self->on_sent();
    };
    if (form_.head) {
      boost::beast::http::async_write_header(stream_, *serializer_, std::move(done));
    } else {
      boost::beast::http::async_write(stream_, *serializer_, std::move(done));
    }
  }

  void on_sent() {
    set_linger(false);
    serializer_.reset();
    message_.reset();
    response_ = {};  // a connection that idles does not hold on to an old snapshot
    if (!form_.keep_alive) return finish();
    context_.connections.set_idle(*this);
    if (buffer_.size() > 0) {
      read_header();
    } else {
      wait_for_request();
    }
  }

  void finish() {
    if constexpr (kIsTls) {
      context_.connections.set_idle(*this);
      lowest().expires_after(kFarewell);
      return stream_.async_shutdown([self = this->shared_from_this()](ErrorCode) {
        if (!self->closed_) self->close();
      });
    }
    ErrorCode ignored;
    lowest().socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
    close();
  }

  void set_linger(bool drop) {
    ErrorCode ignored;
    lowest().socket().set_option(boost::asio::socket_base::linger(drop, 0), ignored);
  }

  std::shared_ptr<const void> owner_;
  Stream stream_;
  SessionContext& context_;
  bool closed_ = false;
  // It may hold pipelined requests too.
  boost::beast::flat_buffer buffer_{std::size_t{2} * kHeaderLimit};
  std::optional<BeastParser> parser_;
  std::shared_ptr<const WebSettings> settings_;  ///< for the reply; may be null
  ReplyForm form_;
  HttpResponse response_;
  std::optional<BeastResponse> message_;
  std::optional<boost::beast::http::response_serializer<BeastBody>> serializer_;
};

}  // namespace timewait
