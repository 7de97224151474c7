#include "daemon/http/gate.h"

#include <chrono>
#include <utility>

namespace timewait {

namespace {

std::optional<HttpResponse> refusal_of(BasicAuth::Verdict verdict) {
  switch (verdict) {
    case BasicAuth::Verdict::kAccepted:
      return std::nullopt;
    case BasicAuth::Verdict::kBusy:
      return text_response(503, "too many passwords are waiting to be checked\n");
    case BasicAuth::Verdict::kRefused:
      break;
  }
  HttpResponse response = text_response(401, "unauthorized\n");
  response.www_authenticate = "Basic";
  return response;
}

}  // namespace

void Gate::admit(std::string_view authorization, std::string peer, Done done) {
  auto settings = store_.current();
  rate_limiter_.use(settings->rate_limit);
  if (!rate_limiter_.allow(std::chrono::steady_clock::now())) {
    return done({text_response(429, "too many requests\n"), nullptr});
  }
  basic_auth_.use(settings->users);
  if (settings->users.empty()) return done({std::nullopt, std::move(settings)});
  basic_auth_.check(
      authorization, std::move(peer),
      [settings = std::move(settings), done = std::move(done)](BasicAuth::Verdict verdict) mutable {
        done({refusal_of(verdict), std::move(settings)});
      });
}

}  // namespace timewait
