#include "daemon/http/responder.h"

#include <optional>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait {
namespace {

using testing::ElementsAre;

/// The statuses that were sent; 0 where there was no reply.
class ResponderTest : public testing::Test {
 protected:
  Responder make() {
    return Responder([this](const std::optional<HttpResponse>& response) {
      sent_.push_back(response ? response->status : 0);
    });
  }

  std::vector<unsigned> sent_;
};

TEST_F(ResponderTest, SendsTheReplyOnce) {
  {
    Responder respond = make();
    respond(text_response(200, "x"));
  }
  EXPECT_THAT(sent_, ElementsAre(200));
}

TEST_F(ResponderTest, TellsThatThereWillBeNoReply) {
  { const Responder unused = make(); }
  EXPECT_THAT(sent_, ElementsAre(0));
}

TEST_F(ResponderTest, MovesWithItsDuty) {
  Responder first = make();
  Responder second = std::move(first);
  { const Responder third = std::move(second); }
  EXPECT_THAT(sent_, ElementsAre(0));
  second = make();
  second(text_response(503, "x"));
  EXPECT_THAT(sent_, ElementsAre(0, 503));
}

}  // namespace
}  // namespace timewait
