#include "daemon/http/reload_requests.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/request_handler.h"

namespace timewait {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReloadRequestsTest : public testing::Test {
 protected:
  /// What comes back is kept as `200 body`, or as `no reply`.
  Responder responder() {
    return Responder([this](std::optional<HttpResponse> response) {
      replies_.push_back(response
                             ? std::to_string(response->status) + " " + std::string(response->body)
                             : "no reply");
    });
  }

  int woken_ = 0;
  std::vector<std::string> replies_;
  ReloadRequests requests_{[this] { ++woken_; }};
  SnapshotStore store_;
  RequestHandler handler_{store_, [] { return SteadyTime{}; }, &requests_};
};

TEST_F(ReloadRequestsTest, EveryOneThatWaitsIsAnswered) {
  requests_.add(responder());
  requests_.add(responder());
  EXPECT_EQ(woken_, 2);
  EXPECT_THAT(replies_, IsEmpty());
  answer_all(requests_.take(), {});
  EXPECT_THAT(replies_,
              ElementsAre("200 configuration reloaded\n", "200 configuration reloaded\n"));
  answer_all(requests_.take(), {});
  EXPECT_EQ(replies_.size(), 2U) << "once";
}

TEST_F(ReloadRequestsTest, AFailureIsToldWithAllThatIsWrong) {
  requests_.add(responder());
  answer_all(requests_.take(), {"f:1:2: this", "f:3:4: and that"});
  EXPECT_THAT(replies_, ElementsAre("500 f:1:2: this\nf:3:4: and that\n"));
}

TEST_F(ReloadRequestsTest, OnlySoManyMayWait) {
  for (int i = 0; i < 17; ++i) requests_.add(responder());
  EXPECT_THAT(replies_, ElementsAre(testing::StartsWith("503 ")));
  EXPECT_EQ(woken_, 16);
  EXPECT_EQ(requests_.take().size(), 16U);
}

TEST_F(ReloadRequestsTest, NobodyWaitsAfterTheEnd) {
  requests_.add(responder());
  requests_.close();
  EXPECT_THAT(replies_, ElementsAre("no reply"));
  requests_.add(responder());
  EXPECT_THAT(replies_, ElementsAre("no reply", testing::StartsWith("503 ")));
}

TEST_F(ReloadRequestsTest, OnlyAPostToThePathAsksForAReload) {
  handler_.answer({"POST", "/-/reload?x=1", {}, {}}, responder());
  EXPECT_EQ(woken_, 1);
  EXPECT_THAT(replies_, IsEmpty());
  handler_.answer({"GET", "/-/reload", {}, {}}, responder());
  handler_.answer({"POST", "/-/reloads", {}, {}}, responder());
  handler_.answer({"POST", "/metrics", {}, {}}, responder());
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(replies_.size(), 3U);
  handler_.answer({"POST", "/-/reload", {}, {}, true}, responder());
  EXPECT_EQ(woken_, 1);
  EXPECT_THAT(replies_.back(), testing::StartsWith("413 ")) << "and it has not reloaded";
}

}  // namespace
}  // namespace timewait
