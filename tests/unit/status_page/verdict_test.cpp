#include "daemon/status_page/verdict.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/status_page/sample_host.h"

namespace timewait::status_page {
namespace {

using test::SampleHost;
using testing::HasSubstr;
using testing::IsEmpty;

class VerdictTest : public testing::Test {
 protected:
  VerdictTest() {
    host_.add_failures(0);
    host_.add_advice();
  }
  /// With destinations of these figures.
  Verdict judge(const std::vector<SampleHost::Tuple>& tuples) {
    host_.add_sockets(tuples);
    return host_.view().verdict;
  }

  SampleHost host_;
};

TEST_F(VerdictTest, IsFineWithoutConnections) {
  const Verdict verdict = judge({});
  EXPECT_EQ(verdict.worst.state, HostState::kFine);
  EXPECT_EQ(verdict.worst.sentence, "No outgoing connection holds an ephemeral port.");
  EXPECT_EQ(verdict.worst.reason, "Each destination can have 28,227 of 28,232.");
  EXPECT_THAT(verdict.others, IsEmpty());
  EXPECT_THAT(verdict.unknown, IsEmpty());
}

TEST_F(VerdictTest, IsFineBelowHalf) {
  const Verdict verdict = judge({{.used = 14'115, .sockets = {14'110}}});
  EXPECT_EQ(verdict.worst.state, HostState::kFine);
  EXPECT_THAT(verdict.worst.reason, HasSubstr("49.9 % of the ports from 192.0.2.10 to "
                                              "192.0.2.20:80 taken, 14,115 of 28,232"));
}

TEST_F(VerdictTest, WatchesFromHalfOn) {
  const Verdict verdict = judge({{.used = 14'116, .sockets = {14'111}}});
  EXPECT_EQ(verdict.worst.state, HostState::kWatch);
  EXPECT_EQ(verdict.worst.sentence,
            "50 % of the ports from 192.0.2.10 to 192.0.2.20:80 are taken.");
}

TEST_F(VerdictTest, IsInDangerFromFourFifthsOn) {
  const Verdict verdict = judge({{.used = 22'586, .sockets = {10, 0, 22'571}}});
  EXPECT_EQ(verdict.worst.state, HostState::kInDanger);
  EXPECT_THAT(verdict.worst.reason, HasSubstr("22,571 of them are in ESTABLISHED"));
  EXPECT_THAT(verdict.worst.reason, HasSubstr("when the remaining 5,646 are taken"));
}

TEST_F(VerdictTest, FailsWhereNoPortIsLeft) {
  const Verdict verdict = judge({{.used = 28'232, .sockets = {28'227}},
                                 {.remote = "2001:db8::1", .used = 28'232},
                                 {.remote = "192.0.2.99", .used = 4}});
  EXPECT_EQ(verdict.worst.state, HostState::kFailing);
  EXPECT_EQ(verdict.worst.sentence, "No port is left from 192.0.2.10 to 192.0.2.20:80.");
  EXPECT_THAT(verdict.worst.reason, HasSubstr("28,227 of them are in TIME-WAIT"));
  ASSERT_EQ(verdict.others.size(), 1U);
  EXPECT_THAT(verdict.others[0].sentence, HasSubstr("[2001:db8::1]:80"));
}

TEST_F(VerdictTest, DoesNotTakeReusablePortsForTaken) {
  const Verdict verdict =
      judge({{.used = 14'200, .reusable = 9'000, .sockets = {9'050, 0, 8'150, 0, 6'000}}});
  EXPECT_THAT(verdict.worst.reason, HasSubstr("8,150 of them are in ESTABLISHED"));
}

TEST_F(VerdictTest, FailsWithoutAnyPort) {
  host_.add_sockets({}, "self", 0);
  const Verdict verdict = host_.view().verdict;
  EXPECT_EQ(verdict.worst.state, HostState::kFailing);
  EXPECT_EQ(verdict.worst.sentence, "There are no ephemeral ports.");
}

TEST_F(VerdictTest, FailsWhereConnectsFailedLately) {
  host_.view();  // from now on failures are seen
  host_.add_sockets({{.used = 5}});
  host_.add_failures(1'142);
  host_.add_failed("192.0.2.20", "gunicorn", 1'142);
  host_.add_advice();
  const Verdict verdict = host_.view().verdict;
  EXPECT_EQ(verdict.worst.state, HostState::kFailing);
  EXPECT_EQ(verdict.worst.sentence,
            "1,142 connect() calls found no port in the last five minutes.");
  EXPECT_THAT(verdict.worst.reason, HasSubstr("The last was to 192.0.2.20:80, by gunicorn."));
}

TEST_F(VerdictTest, NamesNoDestinationOfOldFailures) {
  host_.view();  // from now on failures are seen
  host_.add_sockets({{.used = 5}});
  host_.add_failures(4);
  host_.add_failed("192.0.2.20", "gunicorn", 3);
  host_.add_advice();
  StatusView view = host_.view();
  for (const auto age : {std::optional<std::chrono::duration<double>>(),
                         std::optional<std::chrono::duration<double>>(std::chrono::hours(1))}) {
    view.failures->worst.at(0).last_age = age;
    EXPECT_EQ(judge_host(view).worst.reason, "4 in all since the exporter started.");
  }
}

TEST_F(VerdictTest, WatchesADestinationWhoseTimeWaitIsNotTakenOver) {
  const Verdict verdict = judge({{.used = 1'000, .reusable = 24'500, .sockets = {24'500}}});
  EXPECT_EQ(verdict.worst.state, HostState::kWatch);
  EXPECT_THAT(verdict.worst.sentence, HasSubstr("are not taken over as they should"));
}

TEST_F(VerdictTest, WatchesASlowConnect) {
  host_.sockets.emit(sock_diag::kConnectPreferredRatioMax, 1, {"self"});
  const Verdict verdict = judge({{.used = 14'000}});
  EXPECT_EQ(verdict.worst.state, HostState::kWatch);
  EXPECT_EQ(verdict.worst.sentence, "connect() is slow for a destination.");
}

TEST_F(VerdictTest, NamesTheAddressThatHasNoPortToBind) {
  host_.sockets.emit(sock_diag::kBindPortsUsageRatio, 0.2, {"self", "192.0.2.9"});
  host_.sockets.emit(sock_diag::kBindPortsUsageRatio, 1, {"self", "192.0.2.10"});
  const Verdict verdict = judge({});
  EXPECT_EQ(verdict.worst.state, HostState::kInDanger);
  EXPECT_EQ(verdict.worst.sentence, "No port is left to bind() on 192.0.2.10.");
}

TEST_F(VerdictTest, NamesTheClientThatRunsOut) {
  host_.sockets.emit(sock_diag::kServerPortsUsageRatio, 0.9,
                     {"self", "192.0.2.10", "443", "192.0.2.77"});
  const Verdict verdict = judge({});
  EXPECT_EQ(verdict.worst.state, HostState::kWatch);
  EXPECT_EQ(verdict.worst.sentence,
            "90 % of the quadruplets from 192.0.2.77 to 192.0.2.10:443 are in use.");
}

TEST(Verdict, TakesUpWarningsAndNotHints) {
  const auto state_with = [](std::string_view rule) {
    SampleHost host;
    host.add_sockets({});
    host.add_failures(0);
    host.add_advice(rule);
    return host.view().verdict.worst.state;
  };
  EXPECT_EQ(state_with("tcp_tw_recycle_enabled"), HostState::kInDanger);
  EXPECT_EQ(state_with("close_wait_accumulating"), HostState::kWatch);
  EXPECT_EQ(state_with("linger_resets"), HostState::kFine);
}

TEST(Verdict, IsNotKnownWithoutPorts) {
  SampleHost host;
  host.fail("sock_diag", "netlink: broken");
  host.add_failures(0);
  host.add_advice();
  const Verdict verdict = host.view().verdict;
  EXPECT_EQ(verdict.worst.state, HostState::kNotKnown);
  EXPECT_EQ(verdict.worst.reason, "Because the collector sock_diag failed: netlink: broken.");
}

TEST(Verdict, SaysWhatElseIsNotKnown) {
  SampleHost host;
  host.add_sockets({});
  std::erase_if(host.status.collectors,
                [](const CollectorStatus& each) { return each.name == "advice"; });
  host.fail("connect_failures", "tracefs: not mounted");
  const Verdict verdict = host.view().verdict;
  EXPECT_EQ(verdict.worst.state, HostState::kFine);
  ASSERT_EQ(verdict.unknown.size(), 2U);
  EXPECT_EQ(verdict.unknown[0].reason,
            "Because the collector connect_failures failed: tracefs: not mounted.");
  EXPECT_EQ(verdict.unknown[1].reason, "Because the collector advice is switched off.");
}

TEST(Verdict, NamesTheNamespaceWhereThereAreSeveral) {
  SampleHost host;
  host.add_calm();
  host.add_sockets({{.used = 28'232}}, "web");
  EXPECT_THAT(host.view().verdict.worst.sentence,
              testing::StartsWith("In web: No port is left from"));
}

}  // namespace
}  // namespace timewait::status_page
