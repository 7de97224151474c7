#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/server.h"
#include "tests/unit/http/server_fixture.h"

namespace timewait::test {
namespace {

// Costs 4 and 9: a millisecond and 30.
const std::string kFast = "$2y$04$f4J0QpAcP3aEj6OMFezwMeQ3ehwn6r1Eu0QUmgNSePN/qSMuMrwM.";
const std::string kSlow = "$2y$09$kTxlwoSoFFBl5bF5W/hIBeLwJJ9aUXu02.dDfX2Ng/jNM.g6iLvWO";
const std::string kPassword = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";  // alice:secret
const std::string kWrong = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";     // alice:wrong
const std::string kHost = " HTTP/1.1\r\nHost: test\r\n";

class WebSettingsTest : public ServerTest {
 protected:
  void use(WebSettings settings) {
    web_.publish(std::make_shared<const WebSettings>(std::move(settings)));
  }

  void use_password(const std::string& hash) {
    WebSettings settings;
    settings.users = {{"alice", hash}};
    settings.headers = {{"X-Frame-Options", "deny"}, {"Content-Security-Policy", "default-src"}};
    use(std::move(settings));
  }
};

TEST_F(WebSettingsTest, EveryPathWantsAPassword) {
  use_password(kFast);
  start();
  SocketClient client = connect();
  for (const char* const path : {"/metrics", "/", "/-/healthy", "/-/ready", "/nothing"}) {
    const auto refused = client.get(path);
    ASSERT_TRUE(refused) << path;
    EXPECT_EQ(refused->status, 401) << path;
    EXPECT_EQ(refused->field("www-authenticate"), "Basic") << path;
    EXPECT_EQ(client.get(path, kWrong)->status, 401) << path;
  }
  EXPECT_EQ(client.get("/metrics", kPassword)->status, 200);
  EXPECT_EQ(client.get("/nothing", kPassword)->status, 404);
  EXPECT_EQ(client.get("/metrics", kPassword)->field("www-authenticate"), "");
}

TEST_F(WebSettingsTest, EveryReplyHasTheHeaders) {
  use_password(kFast);
  start();
  SocketClient client = connect();
  for (const std::string& fields : {std::string(), kPassword}) {
    const auto reply = client.get("/metrics", fields);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->field("x-frame-options"), "deny");
    EXPECT_EQ(reply->field("content-security-policy"), "default-src");
  }
}

TEST_F(WebSettingsTest, HoldFromTheirPublicationOnForOpenConnectionsToo) {
  start();
  SocketClient client = connect();
  EXPECT_EQ(client.get("/metrics")->status, 200);
  use_password(kFast);
  EXPECT_EQ(client.get("/metrics")->status, 401);
  EXPECT_EQ(client.get("/metrics", kPassword)->status, 200);
  use({});
  EXPECT_EQ(client.get("/metrics")->status, 200);
}

TEST_F(WebSettingsTest, TooManyRequestsAreTurnedAway) {
  WebSettings settings;
  settings.rate_limit = config::RateLimit{std::chrono::minutes(1), 3};
  settings.headers = {{"X-Frame-Options", "deny"}};
  settings.users = {{"alice", kFast}};
  use(std::move(settings));
  start();
  SocketClient client = connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.get("/metrics", kPassword)->status, 200);
  const auto refused = client.get("/metrics", kPassword);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->field("x-frame-options"), "");
  EXPECT_EQ(connect().get("/-/healthy")->status, 429) << "the limit is for all clients together";
}

TEST_F(WebSettingsTest, OthersAreServedWhilePasswordsAreChecked) {
  use_password(kSlow);
  start();
  const std::string request = "GET /metrics" + kHost + kWrong + "\r\n";
  std::vector<SocketClient> checked;
  for (int i = 0; i < 5; ++i) {
    checked.push_back(connect());
    checked.back().send(request);
  }
  SocketClient other = connect();
  EXPECT_EQ(other.get("/metrics")->status, 401) << "without a password there is nothing to check";
  EXPECT_FALSE(checked.back().ended_within(0));
  for (SocketClient& client : checked) EXPECT_EQ(client.receive()->status, 401);
}

TEST_F(WebSettingsTest, PipelinedRequestsWaitForThePassword) {
  use_password(kSlow);
  start();
  SocketClient client = connect();
  const std::string request = "GET /-/healthy" + kHost + kWrong + "\r\n";
  client.send(request + request);
  EXPECT_EQ(client.receive()->status, 401);
  EXPECT_EQ(client.receive()->status, 401);
}

TEST_F(WebSettingsTest, AConnectionMayCloseWhileItsPasswordIsChecked) {
  use_password(kSlow);
  start();
  for (int i = 0; i < 10; ++i) {
    const SocketClient client = connect();
    client.send("GET /metrics" + kHost + kWrong + "\r\n");
  }
  const auto reply = connect().get("/metrics", kWrong);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 401);
}

TEST_F(WebSettingsTest, TheServerMayStopWhilePasswordsAreChecked) {
  use_password(kSlow);
  start();
  std::vector<SocketClient> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(connect());
    clients.back().send("GET /metrics" + kHost + kWrong + "\r\n");
  }
  EXPECT_EQ(connect().get("/metrics")->status, 401);
  server_->stop();
  for (SocketClient& client : clients) EXPECT_TRUE(client.wait_for_end());
}

}  // namespace
}  // namespace timewait::test
