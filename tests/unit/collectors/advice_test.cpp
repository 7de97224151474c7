#include "collectors/findings.h"
#include "collectors/model/advice_rules.h"
#include "tests/support/memory_kernel.h"
#include "tests/support/run_collector.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::forbidden;
using test::MemoryKernel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kRules = 12;
constexpr SteadyTime kStart{1h};

class AdviceTest : public ::testing::Test {
 protected:
  AdviceTest() {
    kernel_.proc["sys/kernel/osrelease"] = "6.1.0-18-amd64\n";
    sysctl("tcp_tw_reuse") = "2\n";
    sysctl("tcp_timestamps") = "1\n";
    sysctl("tcp_max_tw_buckets") = "131072\n";
    sysctl("tcp_fin_timeout") = "60\n";
    sysctl("tcp_rfc1337") = "0\n";
    sysctl("ip_local_port_range") = "32768\t60999\n";
    sysctl("ip_local_reserved_ports") = "\n";
    kernel_.proc["net/sockstat"] = "TCP: inuse 5 orphan 0 tw 10 alloc 7 mem 3\n";
    set_counters(0, 0, 0);
    findings_.sockets.emplace().at = kStart;
    findings_.sockets->ports.emplace().capacity = 28'232;
  }

  Result<std::string>& sysctl(const std::string& name) {
    return kernel_.proc["sys/net/ipv4/" + name];
  }

  void set_counters(int overflows, int on_linger, int on_data) {
    kernel_.proc["net/netstat"] =
        "TcpExt: TW TWKilled TCPTimeWaitOverflow TCPAbortOnLinger TCPAbortOnData\n"
        "TcpExt: 100 1 " +
        std::to_string(overflows) + " " + std::to_string(on_linger) + " " +
        std::to_string(on_data) + "\n";
  }

  test::Polled poll() {
    if (!collector_) collector_ = test::make_collector("advice", kernel_, "", nullptr, &findings_);
    if (findings_.sockets && sock_diag_polls_) findings_.sockets->at = now_;
    return test::poll(*collector_, now_);
  }

  std::optional<double> value(const test::Polled& polled, const std::string& rule,
                              const std::string& severity) {
    return polled.samples.find("timewait_advice{netns=\"self\",rule=\"" + rule + "\",severity=\"" +
                               severity + "\"}");
  }

  static std::vector<std::string> rules(const test::Polled& polled) {
    std::vector<std::string> names;
    for (const Advice& advice : polled.advice) names.emplace_back(advice.rule);
    return names;
  }

  MemoryKernel kernel_;
  Findings findings_;
  SteadyTime now_ = kStart;
  bool sock_diag_polls_ = true;
  std::unique_ptr<Collector> collector_;
};

TEST_F(AdviceTest, SaysOfEachRuleThatItIsSilentOnAHealthyHost) {
  const auto polled = poll();
  EXPECT_TRUE(polled.result && polled.errors.empty());
  EXPECT_EQ(polled.samples.count("timewait_advice{"), kRules);
  for (const auto& [series, value] : polled.samples.all()) EXPECT_EQ(value, 0) << series;
  EXPECT_THAT(polled.advice, IsEmpty());
}

TEST_F(AdviceTest, GivesTheEvidenceAndThePage) {
  sysctl("tcp_fin_timeout") = "15\n";
  const auto polled = poll();
  EXPECT_EQ(value(polled, "fin_timeout_does_not_shorten_time_wait", "info"), 1);
  ASSERT_EQ(polled.advice.size(), 1U);
  EXPECT_EQ(polled.advice[0].severity, Severity::kInfo);
  EXPECT_THAT(polled.advice[0].evidence, HasSubstr("tcp_fin_timeout is 15"));
  EXPECT_EQ(polled.advice[0].page, "docs/runbooks/fin_timeout_does_not_shorten_time_wait.md");
}

TEST_F(AdviceTest, ReadsEachSource) {
  sysctl("tcp_tw_recycle") = "1\n";
  sysctl("tcp_tw_reuse") = "1\n";
  sysctl("tcp_timestamps") = "0\n";
  sysctl("tcp_max_tw_buckets") = "1000\n";
  sysctl("ip_local_port_range") = "40000 49999\n";
  sysctl("ip_local_reserved_ports") = "40001-40005,8080\n";
  kernel_.proc["net/sockstat"] = "TCP: inuse 5 orphan 0 tw 1000 alloc 7 mem 3\n";
  findings_.sockets->time_wait_server = 990;
  findings_.sockets->ports->capacity = 9'995;
  findings_.sockets->ports->blocked_observed = 1'000;
  findings_.sockets->ports->with_listener = 1;
  const auto polled = poll();
  EXPECT_THAT(rules(polled),
              ElementsAre("tcp_tw_recycle_enabled", "tcp_tw_reuse_without_timestamps",
                          "tcp_tw_reuse_enabled_on_server_only", "ephemeral_range_narrow",
                          "listener_inside_ephemeral_range", "ephemeral_ports_blocked_by_bind",
                          "time_wait_bucket_limit_near", "time_wait_bucket_limit_low",
                          "tcp_rfc1337_off_reset_risk"));
  EXPECT_THAT(polled.advice.at(3).evidence, HasSubstr("9995 ports"));
}

TEST_F(AdviceTest, AKernelWithoutTcpTwRecycleCannotHaveItEnabled) {
  EXPECT_EQ(value(poll(), "tcp_tw_recycle_enabled", "critical"), 0);
  collector_.reset();
  kernel_.proc["sys/kernel/osrelease"] = "4.11.12\n";
  EXPECT_EQ(value(poll(), "tcp_tw_recycle_enabled", "critical"), std::nullopt)
      << "this one has it, but it is not to be seen: absent, not 0";
  collector_.reset();
  kernel_.proc["sys/kernel/osrelease"] = "4.12.0\n";
  EXPECT_EQ(value(poll(), "tcp_tw_recycle_enabled", "critical"), 0);
  collector_.reset();
  kernel_.proc.erase("sys/kernel/osrelease");
  EXPECT_EQ(value(poll(), "tcp_tw_recycle_enabled", "critical"), std::nullopt);
}

TEST_F(AdviceTest, AMissingFileIsAnAbsentSeriesAndNoError) {
  kernel_.proc.erase("sys/net/ipv4/tcp_rfc1337");
  kernel_.proc.erase("net/netstat");
  const auto polled = poll();
  EXPECT_TRUE(polled.result && polled.errors.empty());
  EXPECT_EQ(value(polled, "tcp_rfc1337_off_reset_risk", "info"), std::nullopt);
  EXPECT_EQ(value(polled, "linger_resets", "info"), std::nullopt);
  EXPECT_EQ(value(polled, "time_wait_bucket_limit_near", "warning"), std::nullopt);
  EXPECT_EQ(polled.samples.count("timewait_advice{"), kRules - 3);
}

TEST_F(AdviceTest, WhatCannotBeReadIsReported) {
  sysctl("tcp_tw_reuse") = "1 1\n";
  sysctl("tcp_fin_timeout") = forbidden("/proc/sys/net/ipv4/tcp_fin_timeout");
  sysctl("tcp_tw_recycle") = "x\n";
  kernel_.proc["net/sockstat"] = "TCP: inuse 5 orphan 0 tw x alloc 7 mem 3\n";
  const auto polled = poll();
  EXPECT_TRUE(polled.result);
  ASSERT_EQ(polled.errors.size(), 4U);
  EXPECT_THAT(polled.errors[0].text(), HasSubstr("/tcp_tw_recycle: expected a number"));
  EXPECT_THAT(polled.errors[1].text(), HasSubstr("/tcp_tw_reuse: expected 1 number, found 2"));
  EXPECT_EQ(polled.errors[2].reason, ErrorReason::kPermission);
  EXPECT_THAT(polled.errors[3].text(), HasSubstr("/proc/net/sockstat: tw: expected a number"));
  EXPECT_EQ(value(polled, "tcp_tw_recycle_enabled", "critical"), std::nullopt);
  EXPECT_EQ(value(polled, "fin_timeout_does_not_shorten_time_wait", "info"), std::nullopt);
  EXPECT_EQ(value(polled, "time_wait_bucket_limit_near", "warning"), std::nullopt);
  EXPECT_EQ(value(polled, "time_wait_bucket_limit_low", "info"), 0) << "the others stand";
}

TEST_F(AdviceTest, FailsWhereThereIsNothingToJudge) {
  kernel_.proc.clear();
  findings_.sockets.reset();
  const auto polled = poll();
  ASSERT_FALSE(polled.result);
  EXPECT_EQ(polled.result.error().reason, ErrorReason::kUnavailable);
}

TEST_F(AdviceTest, WithoutFindingsTheRulesAboutSocketsAreAbsent) {
  findings_.sockets.reset();
  const auto polled = poll();
  EXPECT_TRUE(polled.result && polled.errors.empty());
  EXPECT_EQ(value(polled, "close_wait_accumulating", "warning"), std::nullopt);
  EXPECT_EQ(value(polled, "listener_inside_ephemeral_range", "warning"), std::nullopt);
  EXPECT_EQ(value(polled, "ephemeral_ports_blocked_by_bind", "warning"), std::nullopt);
  EXPECT_EQ(value(polled, "tcp_tw_reuse_enabled_on_server_only", "info"), std::nullopt);
  EXPECT_EQ(value(polled, "ephemeral_range_narrow", "info"), std::nullopt);
  EXPECT_EQ(polled.samples.count("timewait_advice{"), kRules - 5);
}

TEST_F(AdviceTest, FindingsThatAreTooOldAreNotJudged) {
  poll();
  sock_diag_polls_ = false;
  now_ = kStart + 3min;
  EXPECT_EQ(value(poll(), "listener_inside_ephemeral_range", "warning"), 0);
  now_ += 1s;
  EXPECT_EQ(value(poll(), "listener_inside_ephemeral_range", "warning"), std::nullopt);
}

TEST_F(AdviceTest, CloseWaitAccumulatesOverFiveMinutesOfPolls) {
  findings_.sockets->close_wait = 100;
  for (; now_ < kStart + 5min; now_ += 15s) {
    EXPECT_EQ(value(poll(), "close_wait_accumulating", "warning"), 0);
  }
  EXPECT_EQ(value(poll(), "close_wait_accumulating", "warning"), 1);
  findings_.sockets->close_wait = 99;
  now_ += 15s;
  EXPECT_EQ(value(poll(), "close_wait_accumulating", "warning"), 0);
  findings_.sockets->close_wait = 100;
  now_ += 15s;
  EXPECT_EQ(value(poll(), "close_wait_accumulating", "warning"), 0) << "it begins anew";
}

TEST_F(AdviceTest, CloseWaitProvesNothingAcrossAGapInTheFindings) {
  findings_.sockets->close_wait = 100;
  poll();
  const auto sockets = std::exchange(findings_.sockets, std::nullopt);
  now_ += 1min;
  poll();
  findings_.sockets = sockets;
  now_ += 10min;
  EXPECT_EQ(value(poll(), "close_wait_accumulating", "warning"), 0);
}

TEST_F(AdviceTest, CountersAreJudgedByTheirRiseWhileWatched) {
  set_counters(1'000, 1'000, 1'000);
  auto polled = poll();
  EXPECT_EQ(value(polled, "time_wait_bucket_limit_near", "warning"), 0) << "that was before";
  EXPECT_EQ(value(polled, "linger_resets", "info"), 0);
  set_counters(1'001, 1'000, 1'010);
  now_ += 15s;
  polled = poll();
  EXPECT_EQ(value(polled, "time_wait_bucket_limit_near", "warning"), 1);
  EXPECT_EQ(value(polled, "linger_resets", "info"), 1);
  now_ += 15s;
  EXPECT_EQ(value(poll(), "linger_resets", "info"), 1) << "it does not flap";
  now_ += 6min;
  EXPECT_EQ(value(poll(), "linger_resets", "info"), 0);
}

TEST_F(AdviceTest, ARuleThatComesAndGoesIsOneLineInTheLog) {
  sysctl("tcp_fin_timeout") = "15\n";
  EXPECT_EQ(poll().advice.size(), 1U);
  sysctl("tcp_fin_timeout") = "60\n";
  now_ += 1min;
  auto polled = poll();
  EXPECT_EQ(value(polled, "fin_timeout_does_not_shorten_time_wait", "info"), 0);
  EXPECT_EQ(polled.advice.size(), 1U) << "the metric is exact, the log is patient";
  now_ += 4min;
  EXPECT_THAT(poll().advice, IsEmpty());
}

TEST_F(AdviceTest, ARuleThatCannotBeJudgedHasNotFallenSilent) {
  sysctl("tcp_fin_timeout") = "15\n";
  poll();
  kernel_.proc.erase("sys/net/ipv4/tcp_fin_timeout");
  now_ += 1h;
  EXPECT_EQ(poll().advice.size(), 1U);
}

}  // namespace
}  // namespace timewait
