#include "daemon/http/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/span.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>

#include "daemon/http/connection_table.h"

namespace timewait {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

// One protocol for TCP of both families and for Unix sockets, which differ in nothing here.
using Protocol = asio::generic::stream_protocol;
using PlainStream = beast::basic_stream<Protocol>;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

constexpr std::uint32_t kHeaderLimit = 8 * 1024;
constexpr std::size_t kFirstRead = 512;
// Fixed: the kernel's automatic one grows to megabytes for each client that does not read.
constexpr int kSendBuffer = 64 * 1024;
constexpr unsigned kHttp11 = 11;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::minutes kAcceptLogPause{1};

/// What every session uses.
struct Shared {
  const RequestHandler& handler;
  const Log& log;
  ServerLimits limits;
  ConnectionTable connections;
};

std::string http_date(std::time_t now) {
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

using Request = http::request<http::empty_body>;
using Parser = http::request_parser<http::empty_body>;
using Body = http::span_body<const char>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// The values of all fields of that name, joined as RFC 9110 section 5.3 has it.
std::string joined(const Request& request, http::field name) {
  std::string values;
  const auto [first, last] = request.equal_range(name);
  for (auto field = first; field != last; ++field) {
    if (field != first) values += ", ";
    values += view(field->value());
  }
  return values;
}

// Any Transfer-Encoding, not just chunked: without knowing where the body ends, its bytes would be
// taken for the next request.
bool has_body(const Parser& parser) {
  return parser.content_length().value_or(0) > 0 ||
         parser.get().count(http::field::transfer_encoding) > 0;
}

/// RFC 9112 section 3.2.
bool lacks_host(const Request& request) {
  const auto hosts = request.count(http::field::host);
  return hosts > 1 || (hosts == 0 && request.version() >= kHttp11);
}

/// One connection, from request to request. Kept alive by the operation that it waits for.
/// `Stream` is what lies on top of a beast::basic_stream, or that itself.
template <class Stream>
class Session final : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Stream stream, Shared& shared) : stream_(std::move(stream)), shared_(shared) {
    shared_.connections.add(*this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session() override { shared_.connections.remove(*this); }

  void start() { read_header(); }

  void close() override {
    shared_.connections.remove(*this);
    closed_ = true;
    lowest().close();
  }

 private:
  auto& lowest() { return beast::get_lowest_layer(stream_); }

  void wait_for_request() {
    lowest().expires_after(shared_.limits.idle);
    stream_.async_read_some(buffer_.prepare(kFirstRead),
                            [self = this->shared_from_this()](error_code error, std::size_t size) {
                              if (error || self->closed_) return;
                              self->buffer_.commit(size);
                              self->read_header();
                            });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(boost::none);
    lowest().expires_after(shared_.limits.header);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code error, std::size_t size) {
                              if (!self->closed_) self->on_header(error, size);
                            });
  }

  void on_header(error_code error, std::size_t size) {
    // Beast applies its limit to the first line and to the fields separately.
    if (error == http::error::header_limit || error == http::error::buffer_overflow ||
        (!error && size > kHeaderLimit)) {
      return refuse(431, "the header is too large\n");
    }
    if (!error) return on_request(parser_->get());
    const bool malformed = error.category() == make_error_code(http::error::bad_method).category();
    const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
    if (malformed && !ended) refuse(400, "malformed request\n");
  }

  void on_request(const Request& request) {
    if (lacks_host(request)) return refuse(400, "malformed request: one Host field is needed\n");
    const std::string accept = joined(request, http::field::accept);
    const std::string accept_encoding = joined(request, http::field::accept_encoding);
    const HttpRequest plain{view(request.method_string()), view(request.target()), accept,
                            accept_encoding};
    HttpResponse response = shared_.handler.handle(plain);
    const bool with_body = has_body(*parser_);
    if (with_body && response.status == 200) return refuse(413, "a request may not have a body\n");
    // What follows a body that is not read cannot be told from it.
    send(std::move(response), request.version(), request.keep_alive() && !with_body,
         request.method() == http::verb::head);
  }

  void refuse(unsigned status, std::string_view text) {
    send(text_response(status, text), kHttp11, false, false);
  }

  void send(HttpResponse response, unsigned version, bool keep_alive, bool head) {
    shared_.connections.set_busy(*this);
    response_ = std::move(response);
    fill_message(version, keep_alive);
    serializer_.emplace(*message_);

    // Until the reply is out, a close is to drop what the peer has not taken: of a peer that does
    // not read, the kernel would else keep megabytes for minutes.
    set_linger(true);
    lowest().expires_after(shared_.limits.write);
    auto done = [self = this->shared_from_this(), keep_alive](error_code error, std::size_t) {
      if (!error && !self->closed_) self->on_sent(keep_alive);
    };
    if (head) {
      http::async_write_header(stream_, *serializer_, std::move(done));
    } else {
      http::async_write(stream_, *serializer_, std::move(done));
    }
  }

  void fill_message(unsigned version, bool keep_alive) {
    auto& message = message_.emplace();
    message.version(version);
    message.result(response_.status);
    const auto set = [&](http::field name, std::string_view value) {
      if (!value.empty()) message.set(name, beast::string_view(value.data(), value.size()));
    };
    set(http::field::server, "timewait_exporter");
    set(http::field::date, http_date(std::time(nullptr)));
    set(http::field::content_type, response_.content_type);
    set(http::field::content_encoding, response_.gzip ? "gzip" : "");
    set(http::field::allow, response_.allow);
    set(http::field::vary, response_.vary);
    message.body() = {response_.body.data(), response_.body.size()};
    message.content_length(response_.body.size());
    message.keep_alive(keep_alive);
  }

  void on_sent(bool keep_alive) {
    set_linger(false);
    serializer_.reset();
    message_.reset();
    response_ = {};  // a connection that idles does not hold on to an old snapshot
    if (!keep_alive) {
      error_code ignored;
      lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
      return close();
    }
    shared_.connections.set_idle(*this);
    if (buffer_.size() > 0) {
      read_header();
    } else {
      wait_for_request();
    }
  }

  void set_linger(bool drop) {
    error_code ignored;
    lowest().socket().set_option(asio::socket_base::linger(drop, 0), ignored);
  }

  Stream stream_;
  Shared& shared_;
  bool closed_ = false;
  beast::flat_buffer buffer_{std::size_t{2} * kHeaderLimit};  // it may hold pipelined requests too
  std::optional<Parser> parser_;
  HttpResponse response_;
  std::optional<http::response<Body>> message_;
  std::optional<http::response_serializer<Body>> serializer_;
};

/// Makes sessions of what connects to one listening socket. Kept alive by the operation that it
/// waits for, until it is closed.
class AcceptLoop : public std::enable_shared_from_this<AcceptLoop> {
 public:
  AcceptLoop(asio::io_context& context, Listener listener, Shared& shared)
      : listener_(std::move(listener)), acceptor_(context), pause_(context), shared_(shared) {
    // The family does not matter for a socket that is open already.
    acceptor_.assign(Protocol(AF_UNSPEC, 0), listener_->release());
    acceptor_.non_blocking(true);
  }

  void start() {
    // Not async_accept: accept() fails for lack of a descriptor even while nobody connects.
    acceptor_.async_wait(Acceptor::wait_read, [self = shared_from_this()](error_code error) {
      if (self->is_closed()) return;
      if (error) return self->back_off(error);
      self->accept();
    });
  }

  const std::string& address() const { return listener_->address(); }

  /// Accepts what waits, then no more.
  void close() {
    for (;;) {
      error_code error;
      Protocol::socket socket = acceptor_.accept(error);
      if (error) break;
      admit(std::move(socket));
    }
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    listener_.reset();
  }

 private:
  bool is_closed() const { return !listener_.has_value(); }

  static bool needs_descriptor(error_code error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system;
  }

  void accept() {
    error_code error;
    Protocol::socket socket = acceptor_.accept(error);
    if (needs_descriptor(error) && shared_.connections.close_longest_idle()) {
      socket = acceptor_.accept(error);
    }
    if (!error) admit(std::move(socket));
    const bool is_gone =
        error == asio::error::would_block || error == asio::error::connection_aborted;
    if (error && !is_gone) return back_off(error);
    start();
  }

  void admit(Protocol::socket socket) {
    ConnectionTable& connections = shared_.connections;
    while (connections.size() >= shared_.limits.max_connections) {
      if (!connections.close_longest_idle()) return;
    }
    error_code ignored;  // a Unix socket has no such option
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
    std::make_shared<Session<PlainStream>>(PlainStream(std::move(socket)), shared_)->start();
  }

  // Mostly the process or the host is out of descriptors and no idle connection can give way: the
  // new one stays in the queue, and an accept without a pause would spin.
  void back_off(error_code error) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= quiet_until_) {
      quiet_until_ = now + kAcceptLogPause;
      shared_.log.warn("cannot accept connections",
                       {{"address", address()}, {"error", error.message()}});
    }
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](error_code) {
      if (!self->is_closed()) self->start();
    });
  }

  std::optional<Listener> listener_;  ///< until it is closed
  Acceptor acceptor_;
  asio::steady_timer pause_;
  Shared& shared_;
  SteadyTime quiet_until_ = SteadyTime::min();
};

}  // namespace

class Server::Impl {
 public:
  Impl(std::vector<Listener> listeners, const RequestHandler& handler, const ServerLimits& limits,
       const Log& log)
      : shared_{handler, log, limits, {}} {
    for (Listener& listener : listeners) listen(std::move(listener));
    thread_ = std::jthread([this] { run(); });
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  ~Impl() {
    context_.stop();
    thread_.join();
    shared_.connections.close_all();
  }

  void reconfigure(ListenerChange change, std::size_t max_connections) {
    asio::post(context_, [this, change = std::move(change), max_connections]() mutable {
      shared_.limits.max_connections = max_connections;
      std::erase_if(loops_, [&](const std::shared_ptr<AcceptLoop>& loop) {
        if (std::ranges::find(change.closed, loop->address()) == change.closed.end()) return false;
        loop->close();
        return true;
      });
      for (Listener& listener : change.opened) listen(std::move(listener));
    });
  }

 private:
  void listen(Listener listener) {
    loops_.push_back(std::make_shared<AcceptLoop>(context_, std::move(listener), shared_));
    loops_.back()->start();
  }

  // Only a lack of memory throws in a handler: its connection is gone with it, the others go on.
  void run() {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& error) {
        shared_.log.error("an HTTP connection failed", {{"error", error.what()}});
      }
    }
  }

  Shared shared_;
  asio::io_context context_{1};
  std::vector<std::shared_ptr<AcceptLoop>> loops_;
  std::jthread thread_;
};

Server::Server(std::vector<Listener> listeners, const RequestHandler& handler,
               const ServerLimits& limits, const Log& log)
    : impl_(std::make_unique<Impl>(std::move(listeners), handler, limits, log)) {}

Server::~Server() = default;

void Server::reconfigure(ListenerChange change, std::size_t max_connections) {
  impl_->reconfigure(std::move(change), max_connections);
}

void Server::stop() { impl_.reset(); }

}  // namespace timewait
