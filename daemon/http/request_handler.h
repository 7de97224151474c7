#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "daemon/http/message.h"
#include "daemon/http/responder.h"
#include "daemon/snapshot.h"

namespace timewait {

struct Target;

/// Decides what to answer; knows nothing of sockets. Thread-safe: it only reads.
class RequestHandler {
 public:
  using Clock = std::function<SteadyTime()>;

  /// /-/ready is 503 without a snapshot younger than this many of its intervals.
  static constexpr int kReadyIntervals = 3;

  /// The store outlives the handler.
  RequestHandler(const SnapshotStore& store, std::string telemetry_path,
                 Clock clock = std::chrono::steady_clock::now);

  /// Any request gets a reply: what cannot be understood a 4xx with a text. Whole expositions are
  /// the snapshot's own bytes, not copies.
  HttpResponse handle(const HttpRequest& request) const;

  /// The same for a server, whose reply may be given later. The request is gone after the call.
  void answer(const HttpRequest& request, Responder respond) const;

 private:
  HttpResponse telemetry(const HttpRequest& request, const Target& target) const;
  HttpResponse ready() const;
  HttpResponse landing_page() const;

  const SnapshotStore& store_;
  std::string telemetry_path_;
  Clock clock_;
};

}  // namespace timewait
