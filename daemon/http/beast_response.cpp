#include "daemon/http/beast_response.h"

#include <array>
#include <ctime>
#include <string>
#include <string_view>

namespace timewait {

namespace {

namespace http = boost::beast::http;

std::string http_date(std::time_t now) {
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace

BeastResponse make_message(const HttpResponse& response, const ReplyForm& form,
                           const std::vector<config::HeaderField>& configured) {
  BeastResponse message;
  message.version(form.version);
  message.result(response.status);
  const auto set = [&](auto name, std::string_view value) {
    if (!value.empty()) message.set(name, {value.data(), value.size()});
  };
  set(http::field::server, "timewait_exporter");
  set(http::field::date, http_date(std::time(nullptr)));
  set(http::field::content_type, response.content_type);
  set(http::field::content_encoding, response.gzip ? "gzip" : "");
  set(http::field::allow, response.allow);
  set(http::field::vary, response.vary);
  set(http::field::www_authenticate, response.www_authenticate);
  set(http::field::cache_control, response.cache_control);
  set("Refresh", response.refresh);
  set("Content-Security-Policy", response.security_policy);
  for (const config::HeaderField& field : configured) message.set(field.name, field.value);
  message.body() = {response.body.data(), response.body.size()};
  message.content_length(response.body.size());
  message.keep_alive(form.keep_alive);
  return message;
}

}  // namespace timewait
