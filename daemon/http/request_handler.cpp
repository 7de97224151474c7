#include "daemon/http/request_handler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "config/quote.h"
#include "daemon/http/negotiation.h"
#include "daemon/http/page_policy.h"
#include "daemon/http/reload_requests.h"
#include "daemon/http/target.h"
#include "daemon/status_page/style_sheet.h"
#include "daemon/status_page/words.h"

namespace timewait {

namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kReadMethods = "GET, HEAD";
constexpr std::string_view kReloadPath = "/-/reload";
constexpr std::string_view kNoSnapshot = "no poll has finished yet\n";

HttpResponse owned_text_response(unsigned status, std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  HttpResponse response = text_response(status, std::string_view{*owner});
  response.owner = std::move(owner);
  return response;
}

HttpResponse not_allowed(std::string_view allow) {
  HttpResponse response = text_response(405, "method not allowed\n");
  response.allow = allow;
  return response;
}

HttpResponse body_refused() { return text_response(413, "a request may not have a body\n"); }

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

tl::expected<void, std::string> check_enabled(const Snapshot& snapshot,
                                              const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    const bool enabled =
        std::any_of(snapshot.collectors.begin(), snapshot.collectors.end(),
                    [&](const CollectorExposition& each) { return each.collector == name; });
    if (enabled) continue;
    std::string text = "unknown or disabled collector: " + config::in_quotes(name) + "; enabled:";
    for (const CollectorExposition& each : snapshot.collectors) text += " " + each.collector;
    return tl::make_unexpected(text + "\n");
  }
  return {};
}

const std::string& in_format(const Exposition& exposition, ExpositionFormat format) {
  return format == ExpositionFormat::kOpenMetrics ? exposition.open_metrics : exposition.text;
}

template <class Predicate>
std::string join(const Snapshot& snapshot, ExpositionFormat format, Predicate chosen) {
  std::string body = in_format(snapshot.exporter, format);
  for (const CollectorExposition& each : snapshot.collectors) {
    if (chosen(each.collector)) body += in_format(each.exposition, format);
  }
  if (format == ExpositionFormat::kOpenMetrics) body += kOpenMetricsEnd;
  return body;
}

HttpResponse filtered(const Snapshot& snapshot, ExpositionFormat format,
                      const std::vector<std::string_view>& collect,
                      const std::vector<std::string_view>& exclude) {
  for (const auto* names : {&collect, &exclude}) {
    if (auto checked = check_enabled(snapshot, *names); !checked) {
      return owned_text_response(400, std::move(checked.error()));
    }
  }
  HttpResponse response = owned_text_response(
      200, join(snapshot, format, [&](std::string_view collector) {
        return exclude.empty() ? contains(collect, collector) : !contains(exclude, collector);
      }));
  response.content_type = content_type(format);
  return response;
}

HttpResponse whole(std::shared_ptr<const Snapshot> snapshot, ExpositionFormat format, bool gzip) {
  const Document& document =
      format == ExpositionFormat::kOpenMetrics ? snapshot->open_metrics : snapshot->text;
  HttpResponse response;
  response.content_type = content_type(format);
  response.gzip = gzip && !document.gzip.empty();
  response.body = response.gzip ? document.gzip : document.plain;
  response.owner = std::move(snapshot);
  return response;
}

/// A copy of a page that says how old its figures are.
struct OldPage {
  std::string html;
  std::shared_ptr<const Snapshot> snapshot;  ///< which the reply's fields refer to
};

bool asks_for_reload(const HttpRequest& request) {
  if (request.method != "POST") return false;
  const auto target = parse_target(request.target);
  return target && target->path == kReloadPath;
}

HttpResponse telemetry(const HttpRequest& request, const Target& target,
                       std::shared_ptr<const Snapshot> snapshot) {
  const auto collect = target.values("collect[]");
  const auto exclude = target.values("exclude[]");
  if (!collect.empty() && !exclude.empty()) {
    return text_response(400, "collect[] and exclude[] cannot be used together\n");
  }
  const ExpositionFormat format = negotiate_format(request.accept);
  if (collect.empty() && exclude.empty()) {
    return whole(std::move(snapshot), format, accepts_gzip(request.accept_encoding));
  }
  return filtered(*snapshot, format, collect, exclude);
}

}  // namespace

RequestHandler::RequestHandler(const SnapshotStore& store, Clock clock, ReloadRequests* reloads)
    : store_(store),
      clock_(std::move(clock)),
      reloads_(reloads),
      page_policy_(make_page_policy(status_page::kStyleSheet.html())) {}

HttpResponse RequestHandler::handle(const HttpRequest& request) const {
  const auto target = parse_target(request.target);
  if (!target) return owned_text_response(400, target.error() + "\n");

  const std::string& path = target->path;
  const bool read = is_read(request.method);
  if (path == "/-/healthy") {
    return read ? text_response(200, "healthy\n") : not_allowed(kReadMethods);
  }
  if (path == "/-/ready") return read ? ready() : not_allowed(kReadMethods);
  if (path == kReloadPath) {
    return request.method == "POST" ? text_response(403, "the lifecycle API is not enabled\n")
                                    : not_allowed("POST");
  }

  auto snapshot = store_.current();
  if (!snapshot) return text_response(503, kNoSnapshot);
  if (path == snapshot->telemetry_path) {
    HttpResponse response =
        read ? telemetry(request, *target, std::move(snapshot)) : not_allowed(kReadMethods);
    response.vary = "Accept, Accept-Encoding";
    return response;
  }
  if (path == "/")
    return read ? status_page(*target, std::move(snapshot)) : not_allowed(kReadMethods);
  return text_response(404, "not found\n");
}

void RequestHandler::answer(const HttpRequest& request, Responder respond) const {
  if (reloads_ != nullptr && asks_for_reload(request)) {
    return request.has_body ? respond(body_refused()) : reloads_->add(std::move(respond));
  }
  HttpResponse response = handle(request);
  respond(response.status == 200 && request.has_body ? body_refused() : std::move(response));
}

bool RequestHandler::is_fresh(const Snapshot& snapshot) const {
  return clock_() - snapshot.taken < kReadyIntervals * snapshot.interval;
}

HttpResponse RequestHandler::status_page(const Target& target,
                                         std::shared_ptr<const Snapshot> snapshot) const {
  HttpResponse response;
  response.content_type = kHtml;
  // The figures are those of a moment, and they tell who talks to whom.
  response.cache_control = "no-store";
  response.security_policy = page_policy_;
  if (!contains(target.values("refresh"), "off")) response.refresh = snapshot->status_page.refresh;
  if (is_fresh(*snapshot)) {
    response.body = snapshot->status_page.html;
    response.owner = std::move(snapshot);
    return response;
  }
  const auto old = std::make_shared<const OldPage>(
      OldPage{status_page::render_with_age(snapshot->status_page,
                                           status_page::format_age(clock_() - snapshot->taken)),
              std::move(snapshot)});
  response.body = old->html;
  response.owner = old;
  return response;
}

HttpResponse RequestHandler::ready() const {
  const auto snapshot = store_.current();
  if (!snapshot) return text_response(503, kNoSnapshot);
  if (is_fresh(*snapshot)) return text_response(200, "ready\n");
  return text_response(503, "the last poll is older than three intervals\n");
}

}  // namespace timewait
