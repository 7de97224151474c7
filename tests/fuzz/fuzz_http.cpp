// Input: four lines: method, target, Accept and Accept-Encoding.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/gzip.h"
#include "daemon/http/negotiation.h"
#include "daemon/http/request_handler.h"
#include "daemon/http/target.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

Document document(std::string plain) {
  std::string gzip = compress_gzip(plain);
  return {std::move(plain), std::move(gzip)};
}

std::shared_ptr<const Snapshot> make_snapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->interval = std::chrono::seconds{15};
  snapshot->telemetry_path = "/metrics";
  snapshot->collectors = {{"netstat", {"netstat 1\n", "netstat 1.0\n"}},
                          {"sockstat", {"sockstat 1\n", "sockstat 1.0\n"}}};
  snapshot->exporter = {"exporter 1\n", "exporter 1.0\n"};
  snapshot->text = document("whole text\n");
  snapshot->open_metrics = document("whole OpenMetrics\n# EOF\n");
  snapshot->status_page.html = "<!DOCTYPE html>\n";
  return snapshot;
}

const RequestHandler& handler() {
  static SnapshotStore store;
  static const RequestHandler handler = [] {
    store.publish(make_snapshot());
    return RequestHandler(store, [] { return SteadyTime{}; });
  }();
  return handler;
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) {
    fuzz::require(!target.error().empty() && fuzz::is_printable(target.error()),
                  "an error is printable ASCII");
    return;
  }
  fuzz::require(target->path.starts_with('/'), "a path is absolute");
  fuzz::require(target->path.size() <= text.size() + 1, "decoding makes nothing longer");
  for (const QueryParameter& parameter : target->query) {
    const auto values = target->values(parameter.name);
    fuzz::require(std::ranges::find(values, parameter.value) != values.end(),
                  "a parameter is found by its name");
  }
}

void check_negotiation(std::string_view accept, std::string_view accept_encoding) {
  if (negotiate_format(accept) == ExpositionFormat::kOpenMetrics) {
    fuzz::require(accept.find('/') != std::string_view::npos, "OpenMetrics is for who names it");
  }
  if (accepts_gzip(accept_encoding)) {
    fuzz::require(accept_encoding.find_first_of("gG*") != std::string_view::npos,
                  "gzip is for who names it");
  }
}

void check_body(const HttpRequest& request, const HttpResponse& response) {
  const bool is_open_metrics =
      response.content_type == content_type(ExpositionFormat::kOpenMetrics);
  if (response.gzip) {
    fuzz::require(response.body.starts_with("\x1f\x8b"), "what is said to be gzip is gzip");
    fuzz::require(accepts_gzip(request.accept_encoding), "gzip is for who accepts it");
  } else if (is_open_metrics) {
    fuzz::require(response.body.ends_with("# EOF\n"), "OpenMetrics has its end");
  } else {
    fuzz::require(response.body.ends_with('\n'), "a text ends with a newline");
  }
  if (response.status >= 400) {
    fuzz::require(response.body.size() < fuzz::kSaneLength, "an error has a sane length");
    fuzz::require(fuzz::is_printable(response.body.substr(0, response.body.size() - 1)),
                  "an error repeats nothing that could do harm");
  }
}

void check_response(const HttpRequest& request, const HttpResponse& response) {
  constexpr std::array kStatuses{200U, 400U, 403U, 404U, 405U};
  fuzz::require(std::ranges::find(kStatuses, response.status) != kStatuses.end(),
                "the status is one of the documented ones");
  fuzz::require(response.allow.empty() == (response.status != 405), "405 says what is allowed");
  fuzz::require(!response.content_type.empty(), "a reply has a type");
  check_body(request, response);
}

void check_head(HttpRequest request, const HttpResponse& response) {
  request.method = "HEAD";
  const HttpResponse head = handler().handle(request);
  fuzz::require(head.status == response.status && head.content_type == response.content_type &&
                    head.gzip == response.gzip && head.body == response.body,
                "HEAD is decided like GET");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::as_text({data, size});
  HttpRequest request;
  request.method = take_line(rest);
  request.target = take_line(rest);
  request.accept = take_line(rest);
  request.accept_encoding = take_line(rest);

  check_target(request.target);
  check_negotiation(request.accept, request.accept_encoding);
  const HttpResponse response = handler().handle(request);
  check_response(request, response);
  if (request.method == "GET") check_head(request, response);
  return 0;
}
