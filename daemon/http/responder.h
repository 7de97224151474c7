#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "daemon/http/message.h"

namespace timewait {

/// The way back to whoever waits for a reply. It is to be called once, from any thread, at once or
/// later; one that is destroyed uncalled ends the connection instead. It does not outlive the
/// server that gave it out.
class Responder {
 public:
  /// `send` is called once, with nothing where there will be no reply.
  using Send = std::function<void(std::optional<HttpResponse>)>;

  explicit Responder(Send send) : send_(std::move(send)) {}
  Responder(Responder&& other) noexcept : send_(std::exchange(other.send_, nullptr)) {}
  Responder& operator=(Responder&& other) noexcept {
    std::swap(send_, other.send_);
    return *this;
  }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder() {
    if (send_) send_(std::nullopt);
  }

  void operator()(HttpResponse response) { std::exchange(send_, nullptr)(std::move(response)); }

 private:
  Send send_;
};

}  // namespace timewait
