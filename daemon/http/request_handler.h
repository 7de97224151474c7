#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "daemon/http/message.h"
#include "daemon/http/responder.h"
#include "daemon/snapshot.h"

namespace timewait {

class ReloadRequests;
struct Target;

/// Decides what to answer; knows nothing of sockets. Thread-safe.
class RequestHandler {
 public:
  using Clock = std::function<SteadyTime()>;

  /// /-/ready is 503 without a snapshot younger than this many of its intervals, and the status
  /// page says that its figures are old.
  static constexpr int kReadyIntervals = 3;

  /// The store outlives the handler, and so do the reloads; null: nobody may ask for one.
  explicit RequestHandler(const SnapshotStore& store, Clock clock = std::chrono::steady_clock::now,
                          ReloadRequests* reloads = nullptr);

  /// Any request gets a reply: what cannot be understood a 4xx with a text. Whole expositions are
  /// the snapshot's own bytes, not copies.
  HttpResponse handle(const HttpRequest& request) const;

  /// The same for a server: a body is refused where there would be 200, and the reply is given
  /// later where it is to be that of a reload. The request is gone after the call.
  void answer(const HttpRequest& request, Responder respond) const;

 private:
  bool is_fresh(const Snapshot& snapshot) const;
  HttpResponse ready() const;
  HttpResponse status_page(const Target& target, std::shared_ptr<const Snapshot> snapshot) const;

  const SnapshotStore& store_;
  Clock clock_;
  ReloadRequests* reloads_;
  std::string page_policy_;
};

}  // namespace timewait
