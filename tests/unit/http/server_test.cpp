#include "daemon/http/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/http/sample_snapshot.h"
#include "tests/unit/http/server_fixture.h"
#include "tests/unit/http/socket_client.h"

namespace timewait::test {
namespace {

using testing::MatchesRegex;

const std::string kGet = "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n";

TEST_F(ServerTest, AnswersGet) {
  start();
  const auto reply = connect().get("/metrics");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->version, "HTTP/1.1");
  EXPECT_EQ(reply->field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply->field("content-length"), std::to_string(snapshot_->text.plain.size()));
  EXPECT_EQ(reply->field("server"), "timewait_exporter");
  EXPECT_EQ(reply->field("vary"), "Accept, Accept-Encoding");
  EXPECT_EQ(reply->fields.count("content-encoding"), 0U);
  EXPECT_EQ(reply->fields.count("allow"), 0U);
  EXPECT_THAT(reply->field("date"), MatchesRegex("..., .. ... .... ..:..:.. GMT"));
  EXPECT_EQ(reply->body, snapshot_->text.plain);
}

TEST_F(ServerTest, AnswersHeadWithoutBody) {
  start();
  SocketClient client = connect();
  client.send("HEAD /metrics HTTP/1.1\r\nHost: test\r\n\r\n" + kGet);
  const auto head = client.receive(SocketClient::Body::kNone);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->field("content-length"), std::to_string(snapshot_->text.plain.size()));
  const auto get = client.receive();
  ASSERT_TRUE(get);
  EXPECT_EQ(get->body, snapshot_->text.plain);
}

TEST_F(ServerTest, CompressesToTheSameBytes) {
  start();
  const auto reply = connect().get("/metrics", "Accept-Encoding: gzip\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->field("content-encoding"), "gzip");
  EXPECT_EQ(reply->field("content-length"), std::to_string(reply->body.size()));
  EXPECT_EQ(gunzip(reply->body), snapshot_->text.plain);
}

TEST_F(ServerTest, JoinsFieldsOfOneName) {
  start();
  const auto reply = connect().get("/metrics",
                                   "Accept: image/png\r\naccept: application/openmetrics-text\r\n"
                                   "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->field("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(gunzip(reply->body), snapshot_->open_metrics.plain);
}

TEST_F(ServerTest, SendsAHugeBodyWhole) {
  publish_huge_page();
  start();
  const auto reply = connect().get("/");
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->body == snapshot_->landing_page);
}

TEST_F(ServerTest, RefusesPathsAndMethods) {
  start();
  SocketClient client = connect();
  EXPECT_EQ(client.get("/nothing")->status, 404);
  EXPECT_EQ(client.get("/metrics?collect[]=nonsense")->status, 400);
  client.send("POST /metrics HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
  const auto post = client.receive();
  ASSERT_TRUE(post);
  EXPECT_EQ(post->status, 405);
  EXPECT_EQ(post->field("allow"), "GET, HEAD");
  client.send("BREW /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 405);
  EXPECT_EQ(client.get("/metrics")->status, 200);
}

TEST_F(ServerTest, TakesTheAbsoluteForm) {
  start();
  EXPECT_EQ(connect().get("http://test/metrics")->body, snapshot_->text.plain);
}

TEST_F(ServerTest, ReusesAConnection) {
  start();
  SocketClient client = connect();
  for (int i = 0; i < 100; ++i) {
    const auto reply = client.get("/metrics");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->fields.count("connection"), 0U);
  }
}

TEST_F(ServerTest, ClosesAConnectionIfAsked) {
  start();
  SocketClient client = connect();
  const auto reply = client.get("/metrics", "Connection: close\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->field("connection"), "close");
  EXPECT_TRUE(client.wait_for_end());
}

TEST_F(ServerTest, SpeaksHttp10) {
  start();
  SocketClient once = connect();
  once.send("GET /metrics HTTP/1.0\r\n\r\n");
  const auto reply = once.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->version, "HTTP/1.0");
  EXPECT_EQ(reply->body, snapshot_->text.plain);
  EXPECT_TRUE(once.wait_for_end());

  SocketClient kept = connect();
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto again = kept.receive();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->field("connection"), "keep-alive");
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  SocketClient client = connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += kGet + "GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
  }
  ASSERT_TRUE(client.send(requests + "GET /nothing HT"));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.receive()->body, snapshot_->text.plain);
    EXPECT_EQ(client.receive()->body, "healthy\n");
  }
  ASSERT_TRUE(client.send("TP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 404);
}

TEST_F(ServerTest, AnswersAClientThatHasClosedItsHalf) {
  start();
  SocketClient client = connect();
  client.send(kGet);
  ::shutdown(client.fd(), SHUT_WR);
  EXPECT_EQ(client.receive()->status, 200);
  EXPECT_TRUE(client.wait_for_end());
}

TEST_F(ServerTest, TakesAHeaderOfEightKibibytes) {
  start();
  const std::string padding_start = "GET /metrics HTTP/1.1\r\nHost: test\r\nX: ";
  const auto header_of = [&](std::size_t size) {
    return padding_start + std::string(size - padding_start.size() - 4, 'x') + "\r\n\r\n";
  };
  SocketClient client = connect();
  client.send(header_of(8'192));
  EXPECT_EQ(client.receive()->status, 200);
  client.send(header_of(8'193));
  const auto reply = client.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 431);
  EXPECT_EQ(reply->field("connection"), "close");
  EXPECT_TRUE(client.wait_for_end());
}

TEST_F(ServerTest, RefusesAnEndlessTarget) {
  start();
  SocketClient client = connect();
  client.send("GET /" + std::string(10'000, 'x'));
  EXPECT_EQ(client.receive()->status, 431);
  EXPECT_TRUE(client.wait_for_end());
}

TEST_F(ServerTest, RefusesBodies) {
  start();
  for (const std::string field :
       {"Content-Length: 5", "Content-Length: 4000000000", "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip", "Content-Length: 5\r\nExpect: 100-continue"}) {
    SocketClient client = connect();
    client.send("GET /metrics HTTP/1.1\r\nHost: test\r\n" + field + "\r\n\r\n");
    const auto reply = client.receive();
    ASSERT_TRUE(reply) << field;
    EXPECT_EQ(reply->status, 413) << field;
    EXPECT_EQ(reply->field("connection"), "close") << field;
    EXPECT_TRUE(client.wait_for_end()) << field;
  }
}

TEST_F(ServerTest, AnswersWhatIsRefusedAnywayBeforeItsBody) {
  start();
  for (const auto& [request, status] :
       {std::pair("POST /metrics", 405U), std::pair("PUT /nowhere", 404U),
        std::pair("POST /-/reload", 403U)}) {
    SocketClient client = connect();
    client.send(std::string(request) + " HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n");
    const auto reply = client.receive();
    ASSERT_TRUE(reply) << request;
    EXPECT_EQ(reply->status, status) << request;
    EXPECT_TRUE(client.wait_for_end()) << request;
  }
}

TEST_F(ServerTest, NeverTakesABodyForARequest) {
  start();
  SocketClient client = connect();
  client.send("GET /metrics HTTP/1.1\r\nHost: test\r\nContent-Length: 38\r\n\r\n" + kGet);
  EXPECT_EQ(client.receive()->status, 413);
  EXPECT_FALSE(client.receive());
}

TEST_F(ServerTest, RefusesWhatIsMalformed) {
  start();
  for (const std::string request :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n",
        "GET /met rics HTTP/1.1\r\n\r\n", "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"}) {
    SocketClient client = connect();
    client.send(request);
    const auto reply = client.receive();
    ASSERT_TRUE(reply) << request;
    EXPECT_EQ(reply->status, 400) << request;
    EXPECT_EQ(reply->field("connection"), "close") << request;
    EXPECT_TRUE(client.wait_for_end()) << request;
  }
}

TEST_F(ServerTest, OutlivesClientsThatGoAway) {
  start();
  for (const std::string start_of_request : {"", "GET /met", "GET /metrics HTTP/1.1\r\n"}) {
    connect().send(start_of_request);
  }
  publish_huge_page();
  SocketClient half_read = connect();
  half_read.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_TRUE(half_read.receive_something());
  { const SocketClient gone = std::move(half_read); }
  EXPECT_EQ(connect().get("/metrics")->status, 200);
}

TEST_F(ServerTest, ServesTheNewestSnapshot) {
  start();
  SocketClient client = connect();
  EXPECT_EQ(client.get("/")->body, snapshot_->landing_page);
  Snapshot next = sample_snapshot();
  next.landing_page = "another";
  publish(std::move(next));
  EXPECT_EQ(client.get("/")->body, "another");
}

TEST_F(ServerTest, LetsOldSnapshotsGo) {
  start();
  SocketClient client = connect();
  EXPECT_EQ(client.get("/metrics")->status, 200);
  const std::weak_ptr<const Snapshot> old = snapshot_;
  publish(sample_snapshot());
  // By the second reply the connection has parted with the first one's snapshot.
  EXPECT_EQ(client.get("/-/healthy")->status, 200);
  EXPECT_TRUE(old.expired());
}

TEST_F(ServerTest, ListensOnAUnixSocket) {
  std::string directory = testing::TempDir() + "serverXXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/x.sock";
  start({}, {{}, 0, path});
  SocketClient client = connect();
  EXPECT_EQ(client.get("/metrics")->body, snapshot_->text.plain);
  EXPECT_EQ(client.get("/metrics")->body, snapshot_->text.plain);
  server_->stop();
  EXPECT_TRUE(client.wait_for_end());
  EXPECT_FALSE(std::filesystem::exists(path));
  std::filesystem::remove(directory);
}

TEST_F(ServerTest, ListensOnIpv6) {
  if (!listen_on({"::1", 0, {}})) GTEST_SKIP() << "this host has no IPv6 loopback address";
  start({}, {"::1", 0, {}});
  EXPECT_EQ(connect().get("/metrics")->body, snapshot_->text.plain);
}

TEST_F(ServerTest, ListensOnSeveralSocketsAtOnce) {
  std::vector<Listener> listeners;
  std::vector<std::string> addresses;
  listeners.reserve(3);
  addresses.reserve(3);
  for (int i = 0; i < 3; ++i) {
    listeners.push_back(std::move(*listen_on({"127.0.0.1", 0, {}})));
    addresses.push_back(listeners.back().address());
  }
  const Server server(std::move(listeners), handler_, web_, {}, log_);
  for (const std::string& address : addresses) {
    EXPECT_EQ(SocketClient(address).get("/metrics")->status, 200);
  }
}

TEST_F(ServerTest, ServesAnAdoptedSocket) {
  auto passed = listen_on({"127.0.0.1", 0, {}});
  ASSERT_TRUE(passed);
  const std::string pid = "LISTEN_PID=" + std::to_string(::getpid());
  const std::array<const char*, 3> environment{pid.c_str(), "LISTEN_FDS=1", nullptr};
  auto adopted = adopt_systemd_listeners(environment.data(), passed->release());
  ASSERT_TRUE(adopted) << adopted.error();
  const Server server(std::move(*adopted), handler_, web_, {}, log_);
  EXPECT_EQ(SocketClient(passed->address()).get("/metrics")->status, 200);
}

TEST_F(ServerTest, ListensElsewhereAndKeepsItsConnections) {
  start();
  SocketClient kept = connect();
  ASSERT_TRUE(kept.get("/metrics"));
  auto elsewhere = listen_on({"127.0.0.1", 0, {}});
  ASSERT_TRUE(elsewhere) << elsewhere.error();
  const std::string new_address = elsewhere->address();
  ListenerChange change;
  change.opened.push_back(*std::move(elsewhere));
  change.closed.push_back(address_);
  server_->reconfigure(std::move(change), 10, std::chrono::seconds(20));

  const auto port = std::stoi(address_.substr(address_.rfind(':') + 1));
  const auto again = listen_on({"127.0.0.1", static_cast<std::uint16_t>(port), {}});
  EXPECT_TRUE(again) << "the old one is closed by now: " << again.error();

  SocketClient moved(new_address);
  ASSERT_TRUE(moved.get("/metrics")) << "it serves at the new address";
  EXPECT_TRUE(kept.get("/metrics")) << "a connection stays";
}

TEST_F(ServerTest, HasFewerConnectionsWhenToldSo) {
  start();
  std::vector<SocketClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().get("/metrics"));
  }
  server_->reconfigure({}, 2, std::chrono::seconds(20));
  ASSERT_TRUE(connect().get("/metrics"));
  int open = 0;
  for (SocketClient& client : clients) open += client.get("/metrics") ? 1 : 0;
  EXPECT_LE(open, 2);
}

}  // namespace
}  // namespace timewait::test
