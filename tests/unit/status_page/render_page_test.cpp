#include "daemon/status_page/render_page.h"

#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/status_page/sample_host.h"

namespace timewait::status_page {
namespace {

using test::SampleHost;
using testing::HasSubstr;
using testing::Not;

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(RenderPage, ShowsWhatHoldsThePortsOfADestination) {
  SampleHost host;
  host.add_sockets({{.used = 12'928, .reusable = 1'000, .sockets = {12'168, 11, 640, 5, 57, 3}}});
  const std::string page = host.page();
  EXPECT_THAT(page, HasSubstr("192.0.2.20:80</span>"));
  EXPECT_THAT(page, HasSubstr("data-label=\"Taken\">45.7 %</td>"));
  EXPECT_THAT(page, HasSubstr("data-label=\"Ports left\">15,304</td>"));
  EXPECT_THAT(page, HasSubstr("data-label=\"TIME-WAIT\">12,168</td>"));
  EXPECT_THAT(page, HasSubstr("data-label=\"reusable\">1,000</td>"));
  EXPECT_THAT(page, HasSubstr("data-label=\"CLOSE-WAIT\">57</td>"));
  EXPECT_THAT(page, HasSubstr("<rect class=\"reusable\""));
}

TEST(RenderPage, LinksToWhatToDoInRunbooksThatExist) {
  SampleHost exhausted;
  exhausted.add_sockets(
      {{.remote = "192.0.2.20", .used = SampleHost::kCapacity},
       {.remote = "192.0.2.21", .used = SampleHost::kCapacity * 9 / 10},
       {.remote = "192.0.2.22", .used = 1, .reusable = SampleHost::kCapacity - 1}});
  exhausted.add_failures(0);
  exhausted.add_advice("tcp_tw_recycle_enabled");
  const std::string pages = exhausted.page();
  const std::filesystem::path runbooks =
      std::filesystem::path(TIMEWAIT_SOURCE_DIR) / "docs/runbooks";
  constexpr std::string_view kLink = "/runbooks/";
  std::set<std::string> linked;
  for (auto at = pages.find(kLink); at != std::string::npos; at = pages.find(kLink, at + 1)) {
    const auto begin = at + kLink.size();
    linked.insert(pages.substr(begin, pages.find('"', begin) - begin));
  }
  for (const std::string& page : linked) EXPECT_TRUE(exists(runbooks / page)) << page;
  EXPECT_THAT(linked,
              testing::IsSupersetOf(
                  {"TimewaitConnectPortsExhausted.md", "TimewaitConnectPortsNearlyExhausted.md",
                   "TimewaitTimeWaitReuseNotHappening.md", "tcp_tw_recycle_enabled.md"}));
}

TEST(RenderPage, ShowsTenDestinationsTheFullestFirst) {
  SampleHost host;
  std::vector<SampleHost::Tuple> tuples;
  for (std::uint64_t i = 0; i < 25; ++i) {
    tuples.push_back({.remote = "198.51.100." + std::to_string(i), .used = 100 + i});
  }
  host.add_sockets(tuples);
  const std::string page = host.page();
  EXPECT_EQ(count_of(page, "class=\"bar-row\""), 10U);
  EXPECT_LT(page.find("198.51.100.24:80</span>"), page.find("198.51.100.23:80</span>"));
  EXPECT_THAT(page, Not(HasSubstr("198.51.100.14:80")));
  EXPECT_THAT(page, HasSubstr("15 destinations that are less full are left out."));
}

TEST(RenderPage, SaysWhyAFigureIsAbsentInsteadOf0) {
  SampleHost host;
  host.fail("sock_diag", "/proc/net/tcp: line 2");
  host.fail("connect_failures", "tracefs: not mounted");
  host.fail("advice", "/proc/sys/net/ipv4: nothing");
  const std::string page = host.page();
  EXPECT_EQ(
      count_of(page, "Not known, because the collector sock_diag failed: /proc/net/tcp: line 2."),
      3U);
  EXPECT_THAT(page, HasSubstr("Not known, because the collector connect_failures failed: tracefs"));
  EXPECT_THAT(page, HasSubstr("Not known, because the collector advice failed: /proc/sys"));
  EXPECT_THAT(page, Not(HasSubstr(">0<")));
}

TEST(RenderPage, SaysWhatThisKernelDoesNotTell) {
  SampleHost host;
  host.sockets.emit(sock_diag::kTimeWaitSockets, 4, {"self", "client"});
  host.sockets.emit(sock_diag::kTimeWaitSockets, 0, {"self", "server"});
  EXPECT_THAT(host.page(), HasSubstr("Not known, because this kernel does not tell it."));
}

TEST(RenderPage, SaysWhichRulesWereNotJudged) {
  SampleHost host;
  host.add_calm();
  MetricFamilies families = host.rules.take();
  families[0].metric.erase(families[0].metric.begin());
  for (const auto& sample : families[0].metric) {
    host.rules.emit(advice::kAdvice, 0, {"self", sample.label[1].value, sample.label[2].value});
  }
  EXPECT_THAT(host.page(),
              HasSubstr("figures that they need are absent: tcp_tw_recycle_enabled.</p>"));
}

TEST(RenderPage, GivesAdviceInWords) {
  SampleHost host;
  host.add_sockets({});
  host.add_advice("close_wait_accumulating");
  const std::string page = host.page();
  EXPECT_THAT(page, HasSubstr("A program does not close connections that its peers have closed."));
  EXPECT_THAT(page, HasSubstr("Found: the evidence."));
  EXPECT_THAT(page, HasSubstr("/runbooks/close_wait_accumulating.md\""));
}

TEST(RenderPage, EscapesAllThatComesFromOutside) {
  constexpr std::string_view kHostile = "<script>alert('x')</script>\"\xff\x1b";
  SampleHost host;
  host.telemetry_path = kHostile;
  host.add_sockets({{.remote = std::string(kHostile), .used = 28'232}});
  host.add_failures(3);
  host.connects.emit(connect_failures::kByDestination, 3,
                     {kHostile, kHostile, kHostile, kHostile, kHostile});
  host.add_advice("linger_resets");
  host.given.back().evidence = kHostile;
  host.fail("advice", std::string(kHostile));
  const std::string page = host.page();
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_GE(count_of(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;"), 8U);
}

TEST(RenderPage, FetchesAndRunsNothing) {
  SampleHost host;
  host.add_calm();
  const std::string page = host.page();
  for (const char* part :
       {"src=", "<link", "@import", "<script", "javascript:", "style=", "url(h"}) {
    EXPECT_THAT(page, Not(HasSubstr(part)));
  }
  EXPECT_EQ(count_of(page, "<style"), 1U);
}

TEST(RenderPage, TellsOfFailedConnects) {
  SampleHost host;
  host.add_failures(1'184);
  host.add_failed("192.0.2.20", "gunicorn", 1'142);
  host.add_failed("192.0.2.20", "", 42);
  host.connects.emit(connect_failures::kByDestination, 0, {"", "", "other", "", ""});
  const std::string page = host.page();
  EXPECT_THAT(page, HasSubstr("1,184 connect() calls found no port since the exporter started"));
  EXPECT_THAT(page, HasSubstr("data-label=\"Process\">gunicorn</td>"));
  EXPECT_THAT(page, HasSubstr("data-label=\"Process\">not known</td>"));
  EXPECT_THAT(page, Not(HasSubstr("other destinations")));
}

TEST(RenderPage, GroupsByNamespaceWhereThereAreSeveral) {
  SampleHost host;
  host.add_calm();
  host.add_sockets({{.used = 7}}, "web");
  const std::string page = host.page();
  EXPECT_THAT(page, HasSubstr("<h2>Ports by destination in self</h2>"));
  EXPECT_THAT(page, HasSubstr("<h2>Ports by destination in web</h2>"));
}

TEST(RenderPage, TellsHowTheCollectorsFare) {
  SampleHost host;
  host.add_calm();
  host.fail("sock_diag", "broken");
  host.collector("sock_diag").last_success = host.status.snapshot_time - 300;
  host.collector("advice").last_success.reset();
  const std::string page = host.page();
  EXPECT_THAT(page, HasSubstr("<b class=\"failed\">failed</b>"));
  EXPECT_THAT(page, HasSubstr(">5 min ago</td>"));
  EXPECT_THAT(page, HasSubstr(">never</td>"));
  EXPECT_THAT(page, HasSubstr("Switched off: netstat, sockstat, slabinfo, sysctl."));
}

TEST(RenderPage, IsFetchedAgainAfterTheInterval) {
  const auto refresh = [](std::chrono::milliseconds interval) {
    StatusView view = SampleHost().view();
    view.interval = interval;
    return render_page(view).refresh;
  };
  EXPECT_EQ(refresh(std::chrono::seconds(15)), "15");
  EXPECT_EQ(refresh(std::chrono::milliseconds(15'001)), "16");
  EXPECT_EQ(refresh(std::chrono::milliseconds(10)), "5") << "it is to be read, too";
}

TEST(RenderWithAge, SaysItAboveTheVerdict) {
  const StatusPage page = render_page(SampleHost().view());
  const std::string old = render_with_age(page, "3 min <ago>");
  EXPECT_LT(old.find("The last poll ended 3 min &lt;ago&gt;"), old.find("<h1>"));
  EXPECT_GT(old.find("These figures are old"), old.find("<main>"));
  EXPECT_THAT(page.html, Not(HasSubstr("These figures are old")));
}

}  // namespace
}  // namespace timewait::status_page
