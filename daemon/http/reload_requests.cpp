#include "daemon/http/reload_requests.h"

#include <memory>

namespace timewait {

void ReloadRequests::add(Responder respond) {
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_ || waiting_.size() == kMost) {
      return respond(text_response(503, "too many reloads are asked for\n"));
    }
    waiting_.push_back(std::move(respond));
  }
  wake_();
}

std::vector<Responder> ReloadRequests::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(waiting_, {});
}

void ReloadRequests::close() {
  std::vector<Responder> dropped;
  const std::scoped_lock lock(mutex_);
  is_closed_ = true;
  dropped.swap(waiting_);
}

void answer_all(std::vector<Responder> waiting, const std::vector<std::string>& problems) {
  auto text = std::make_shared<std::string>();
  for (const std::string& problem : problems) text->append(problem).append("\n");
  for (Responder& respond : waiting) {
    HttpResponse response = problems.empty() ? text_response(200, "configuration reloaded\n")
                                             : text_response(500, *text);
    response.owner = text;
    respond(std::move(response));
  }
}

}  // namespace timewait
