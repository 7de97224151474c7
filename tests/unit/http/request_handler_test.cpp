#include "daemon/http/request_handler.h"

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/page_policy.h"
#include "tests/unit/http/sample_snapshot.h"

namespace timewait {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view kTextType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view kPlainType = "text/plain; charset=utf-8";

class RequestHandlerTest : public testing::Test {
 protected:
  static constexpr seconds kInterval{15};

  void publish() { publish_at("/metrics"); }

  void publish_at(const char* telemetry_path) {
    Snapshot snapshot = test::sample_snapshot(now_);
    snapshot.telemetry_path = telemetry_path;
    snapshot_ = std::make_shared<const Snapshot>(std::move(snapshot));
    store_.publish(snapshot_);
  }

  HttpResponse get(std::string_view target, std::string_view accept = {},
                   std::string_view accept_encoding = {}) const {
    return handler_.handle({"GET", target, accept, accept_encoding});
  }

  SteadyTime now_ = SteadyTime{} + seconds(1'000);
  std::shared_ptr<const Snapshot> snapshot_;
  SnapshotStore store_;
  RequestHandler handler_{store_, [this] { return now_; }};
};

TEST_F(RequestHandlerTest, HandsOutTheSnapshotsOwnBytes) {
  publish();
  const HttpResponse response = get("/metrics");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, kTextType);
  EXPECT_EQ(response.vary, "Accept, Accept-Encoding");
  EXPECT_FALSE(response.gzip);
  EXPECT_EQ(response.body, snapshot_->text.plain);
  EXPECT_EQ(response.body.data(), snapshot_->text.plain.data());
}

TEST_F(RequestHandlerTest, KeepsTheSnapshotOfAReplyAlive) {
  publish();
  const HttpResponse response = get("/metrics");
  const std::weak_ptr<const Snapshot> old = snapshot_;
  publish();
  EXPECT_FALSE(old.expired());
  EXPECT_EQ(response.owner, old.lock());
}

TEST_F(RequestHandlerTest, ChoosesOneOfFourDocuments) {
  publish();
  const auto open_metrics = get("/metrics", "application/openmetrics-text");
  EXPECT_EQ(open_metrics.content_type, kOpenMetricsType);
  EXPECT_EQ(open_metrics.body.data(), snapshot_->open_metrics.plain.data());

  const auto text_gzip = get("/metrics", "", "gzip");
  EXPECT_TRUE(text_gzip.gzip);
  EXPECT_EQ(text_gzip.content_type, kTextType);
  EXPECT_EQ(text_gzip.body.data(), snapshot_->text.gzip.data());

  const auto open_metrics_gzip = get("/metrics", "application/openmetrics-text", "gzip");
  EXPECT_TRUE(open_metrics_gzip.gzip);
  EXPECT_EQ(open_metrics_gzip.body.data(), snapshot_->open_metrics.gzip.data());
}

TEST_F(RequestHandlerTest, SendsPlainTextWhereNothingWasCompressed) {
  Snapshot snapshot = test::sample_snapshot();
  snapshot.text.gzip.clear();
  store_.publish(std::make_shared<const Snapshot>(std::move(snapshot)));
  const HttpResponse response = get("/metrics", "", "gzip");
  EXPECT_FALSE(response.gzip);
  EXPECT_THAT(std::string(response.body), HasSubstr("timewait_sockets"));
}

TEST_F(RequestHandlerTest, AnswersHeadLikeGet) {
  publish();
  const HttpResponse response = handler_.handle({"HEAD", "/metrics", {}, {}});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, snapshot_->text.plain);
}

TEST_F(RequestHandlerTest, FiltersByCollect) {
  publish();
  const HttpResponse response = get("/metrics?collect[]=netstat&collect%5B%5D=netstat", "", "gzip");
  EXPECT_EQ(response.status, 200U);
  EXPECT_FALSE(response.gzip);
  EXPECT_EQ(response.content_type, kTextType);
  EXPECT_EQ(response.vary, "Accept, Accept-Encoding");
  EXPECT_EQ(response.body, snapshot_->exporter.text + snapshot_->collectors[1].exposition.text);
}

TEST_F(RequestHandlerTest, FiltersInTheSnapshotsOrder) {
  publish();
  EXPECT_EQ(get("/metrics?collect[]=netstat&collect[]=sock_diag").body, snapshot_->text.plain);
}

TEST_F(RequestHandlerTest, FiltersByExclude) {
  publish();
  EXPECT_EQ(get("/metrics?exclude[]=netstat").body,
            snapshot_->exporter.text + snapshot_->collectors[0].exposition.text);
  EXPECT_EQ(get("/metrics?exclude[]=netstat&exclude[]=sock_diag").body, snapshot_->exporter.text);
}

TEST_F(RequestHandlerTest, EndsAFilteredOpenMetricsReply) {
  publish();
  const auto response = get("/metrics?collect[]=netstat", "application/openmetrics-text");
  EXPECT_EQ(response.content_type, kOpenMetricsType);
  EXPECT_EQ(response.body, snapshot_->exporter.open_metrics +
                               snapshot_->collectors[1].exposition.open_metrics + "# EOF\n");
}

TEST_F(RequestHandlerTest, IgnoresOtherParameters) {
  publish();
  EXPECT_EQ(get("/metrics?collect=netstat&x=1").body.data(), snapshot_->text.plain.data());
}

TEST_F(RequestHandlerTest, RefusesUnknownCollectors) {
  publish();
  for (const std::string_view target :
       {"/metrics?collect[]=nonsense", "/metrics?exclude[]=nonsense",
        "/metrics?collect[]=netstat&collect[]=nonsense"}) {
    const HttpResponse response = get(target);
    EXPECT_EQ(response.status, 400U) << target;
    EXPECT_EQ(response.content_type, kPlainType);
    EXPECT_EQ(response.body,
              "unknown or disabled collector: \"nonsense\"; enabled: sock_diag netstat\n");
  }
  EXPECT_EQ(get("/metrics?collect[]=").status, 400U);
  EXPECT_EQ(get("/metrics?collect[]=NETSTAT").status, 400U);
}

TEST_F(RequestHandlerTest, RepeatsHostileNamesTamely) {
  publish();
  const HttpResponse tame = get("/metrics?collect[]=a%0d%0ab%00%22%ff%1b[31m");
  EXPECT_THAT(std::string(tame.body), HasSubstr(R"("a\x0d\nb\x00\"\xff\x1b[31m")"));
  const HttpResponse shortened = get("/metrics?collect[]=" + std::string(5'000, 'x'));
  EXPECT_EQ(shortened.status, 400U);
  EXPECT_LT(shortened.body.size(), 200U);
}

TEST_F(RequestHandlerTest, RefusesCollectWithExclude) {
  publish();
  const HttpResponse response = get("/metrics?collect[]=netstat&exclude[]=sock_diag");
  EXPECT_EQ(response.status, 400U);
  EXPECT_EQ(response.body, "collect[] and exclude[] cannot be used together\n");
}

TEST_F(RequestHandlerTest, HasNothingBeforeTheFirstSnapshot) {
  for (const std::string_view target :
       {"/metrics", "/metrics?collect[]=netstat", "/", "/-/ready"}) {
    const HttpResponse response = get(target);
    EXPECT_EQ(response.status, 503U) << target;
    EXPECT_EQ(response.content_type, kPlainType) << target;
    EXPECT_FALSE(response.body.empty()) << target;
  }
  EXPECT_EQ(get("/-/healthy").status, 200U);
}

TEST_F(RequestHandlerTest, IsReadyForThreeIntervals) {
  publish();
  EXPECT_EQ(get("/-/ready").status, 200U);
  now_ += 3 * kInterval - milliseconds(1);
  EXPECT_EQ(get("/-/ready").status, 200U);
  now_ += milliseconds(1);
  EXPECT_EQ(get("/-/ready").status, 503U);
  EXPECT_EQ(get("/metrics").status, 200U);
  publish();
  EXPECT_EQ(get("/-/ready").status, 200U);
}

TEST_F(RequestHandlerTest, ServesTheStatusPageAtTheRootOnly) {
  publish();
  const HttpResponse response = get("/");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(response.body.data(), snapshot_->status_page.html.data());
  EXPECT_EQ(response.vary, "");
  EXPECT_EQ(response.cache_control, "no-store");
  EXPECT_EQ(response.refresh, "15");
  EXPECT_EQ(get("/index.html").status, 404U);
  EXPECT_EQ(get("//").status, 404U);
}

TEST_F(RequestHandlerTest, LetsTheStatusPageHoldStill) {
  publish();
  const HttpResponse still = get("/?refresh=off");
  EXPECT_EQ(still.refresh, "");
  EXPECT_EQ(still.body.data(), snapshot_->status_page.html.data());
  EXPECT_EQ(get("/?refresh=on").refresh, "15");
}

TEST_F(RequestHandlerTest, AllowsTheStatusPageItsStyleAlone) {
  publish();
  const std::string policy(get("/").security_policy);
  EXPECT_THAT(policy, testing::StartsWith("default-src 'none'; style-src 'sha256-"));
  EXPECT_EQ(get("/metrics").security_policy, "");
}

TEST_F(RequestHandlerTest, SaysOnTheStatusPageThatItsFiguresAreOld) {
  publish();
  now_ += 3 * kInterval - milliseconds(1);
  EXPECT_EQ(get("/").body.data(), snapshot_->status_page.html.data());
  now_ += milliseconds(1);
  const HttpResponse old = get("/");
  EXPECT_EQ(old.status, 200U);
  EXPECT_EQ(old.refresh, "15");
  EXPECT_THAT(std::string(old.body), HasSubstr("The last poll ended 45 s ago"));
  EXPECT_THAT(std::string(old.body), HasSubstr("<title>timewait_exporter</title>"));
}

TEST(MakePagePolicy, NamesTheStyleByItsHash) {
  EXPECT_EQ(make_page_policy("abc"),
            "default-src 'none'; style-src "
            "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
}

TEST_F(RequestHandlerTest, RefusesToReload) {
  const HttpResponse post = handler_.handle({"POST", "/-/reload", {}, {}});
  EXPECT_EQ(post.status, 403U);
  EXPECT_EQ(post.body, "the lifecycle API is not enabled\n");
  const HttpResponse read = get("/-/reload");
  EXPECT_EQ(read.status, 405U);
  EXPECT_EQ(read.allow, "POST");
}

TEST_F(RequestHandlerTest, AllowsOnlyReading) {
  publish();
  for (const std::string_view target : {"/metrics", "/", "/-/healthy", "/-/ready"}) {
    for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "BREW", ""}) {
      const HttpResponse response = handler_.handle({method, target, {}, {}});
      EXPECT_EQ(response.status, 405U) << method << " " << target;
      EXPECT_EQ(response.allow, "GET, HEAD");
    }
  }
}

TEST_F(RequestHandlerTest, KnowsNoOtherPaths) {
  publish();
  for (const std::string_view target : {"/metrics/", "/metricsfoo", "/Metrics", "/metrics%00",
                                        "/-/", "/-/healthy/", "/favicon.ico", "/./metrics"}) {
    const HttpResponse response = get(target);
    EXPECT_EQ(response.status, 404U) << target;
    EXPECT_EQ(response.content_type, kPlainType);
  }
  EXPECT_EQ(handler_.handle({"POST", "/nothing", {}, {}}).status, 404U);
}

TEST_F(RequestHandlerTest, AnswersBadTargets) {
  publish();
  for (const std::string_view target : {"", "*", "/%zz", "host:1", "/metrics?collect[]=%"}) {
    const HttpResponse response = get(target);
    EXPECT_EQ(response.status, 400U) << target;
    EXPECT_TRUE(response.body.ends_with('\n')) << target;
  }
}

TEST_F(RequestHandlerTest, TakesTheAbsoluteForm) {
  publish();
  EXPECT_EQ(get("http://localhost:10060/metrics").body.data(), snapshot_->text.plain.data());
}

TEST_F(RequestHandlerTest, ServesThePathOfTheSnapshot) {
  publish_at("/time wait");
  EXPECT_EQ(get("/time%20wait").status, 200U);
  EXPECT_EQ(get("/metrics").status, 404U);
}

TEST_F(RequestHandlerTest, ServesTelemetryAtTheRootIfToldSo) {
  publish_at("/");
  EXPECT_EQ(get("/").content_type, kTextType);
}

}  // namespace
}  // namespace timewait
