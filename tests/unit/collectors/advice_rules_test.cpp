#include "collectors/model/advice_rules.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>

#include "collectors/model/advice_history.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr SteadyTime kStart{1h};

/// A host with the kernel's defaults and a little of everything: no rule speaks.
AdviceFigures healthy() {
  AdviceFigures figures;
  figures.tcp_tw_recycle = 0;
  figures.tcp_tw_reuse = 2;
  figures.tcp_timestamps = 1;
  figures.tcp_max_tw_buckets = 131'072;
  figures.tcp_fin_timeout = 60;
  figures.tcp_rfc1337 = 0;
  figures.port_range = PortRange{32768, 60999};
  figures.port_capacity = 28'232;
  figures.time_wait = 999;
  figures.time_wait_overflows = 0;
  figures.time_wait_entries = 5'000;
  figures.aborts_on_linger = 0;
  figures.aborts_on_data = 9;
  figures.sockets = SocketFindings{.at = kStart,
                                   .time_wait_client = 400,
                                   .time_wait_server = 500,
                                   .close_wait = 99,
                                   .ports = PortFindings{.capacity = 28'232,
                                                         .blocked_observed = 3,
                                                         .blocked_inferred = 20,
                                                         .with_listener = 0,
                                                         .lowest_with_listener = std::nullopt,
                                                         .connect_usage_ratio_max = 0.25}};
  return figures;
}

/// The evidence; empty where the rule is silent, `absent` where it cannot judge.
std::string judge(std::string_view name, const AdviceFigures& figures) {
  const auto rules = advice_rules();
  const auto rule = std::ranges::find(rules, name, &AdviceRule::name);
  if (rule == rules.end()) return "no such rule";
  const auto verdict = rule->judge(figures);
  return verdict ? verdict->evidence : "absent";
}

// The names and severities that dashboards and alerts rely on, written down once more by hand.
const std::map<std::string_view, Severity> kContract{
    {"tcp_tw_recycle_enabled", Severity::kCritical},
    {"tcp_tw_reuse_without_timestamps", Severity::kWarning},
    {"tcp_tw_reuse_enabled_on_server_only", Severity::kInfo},
    {"ephemeral_range_narrow", Severity::kInfo},
    {"listener_inside_ephemeral_range", Severity::kWarning},
    {"ephemeral_ports_blocked_by_bind", Severity::kWarning},
    {"time_wait_bucket_limit_near", Severity::kWarning},
    {"time_wait_bucket_limit_low", Severity::kInfo},
    {"tcp_rfc1337_off_reset_risk", Severity::kInfo},
    {"fin_timeout_does_not_shorten_time_wait", Severity::kInfo},
    {"close_wait_accumulating", Severity::kWarning},
    {"linger_resets", Severity::kInfo},
};

TEST(AdviceRules, AreThoseOfTheContract) {
  std::map<std::string_view, Severity> found;
  for (const AdviceRule& rule : advice_rules()) {
    EXPECT_TRUE(found.emplace(rule.name, rule.severity).second) << rule.name << " stands twice";
  }
  EXPECT_EQ(found, kContract);
}

TEST(AdviceRules, AreSilentOnAHealthyHost) {
  for (const AdviceRule& rule : advice_rules()) EXPECT_EQ(judge(rule.name, healthy()), "");
}

TEST(AdviceRules, DoNotJudgeWhatIsNotKnown) {
  for (const AdviceRule& rule : advice_rules()) {
    EXPECT_EQ(judge(rule.name, AdviceFigures{}), "absent") << rule.name;
  }
}

TEST(AdviceRules, NeedNoOrderOfMagnitude) {
  AdviceFigures figures = healthy();
  figures.tcp_max_tw_buckets = std::numeric_limits<std::int64_t>::max();
  figures.time_wait = std::numeric_limits<std::uint64_t>::max();
  figures.aborts_on_data = std::numeric_limits<std::uint64_t>::max();
  EXPECT_NE(judge("time_wait_bucket_limit_near", figures), "absent");
  EXPECT_EQ(judge("time_wait_bucket_limit_low", figures), "");
}

TEST(AdviceRules, TcpTwRecycleEnabled) {
  AdviceFigures figures = healthy();
  figures.tcp_tw_recycle = 1;
  EXPECT_EQ(judge("tcp_tw_recycle_enabled", figures), "net.ipv4.tcp_tw_recycle is 1");
  figures.tcp_tw_recycle = -1;
  EXPECT_EQ(judge("tcp_tw_recycle_enabled", figures), "net.ipv4.tcp_tw_recycle is -1");
}

TEST(AdviceRules, TcpTwReuseWithoutTimestamps) {
  constexpr std::string_view kRule = "tcp_tw_reuse_without_timestamps";
  AdviceFigures figures = healthy();
  figures.tcp_timestamps = 0;
  EXPECT_EQ(judge(kRule, figures), "") << "2 is the default, so it is nobody's choice";
  figures.tcp_tw_reuse = 1;
  EXPECT_EQ(judge(kRule, figures), "net.ipv4.tcp_tw_reuse is 1, but net.ipv4.tcp_timestamps is 0");
  figures.tcp_timestamps = 2;
  EXPECT_EQ(judge(kRule, figures), "") << "2 means timestamps without a random offset";
  figures.tcp_timestamps = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, TcpTwReuseEnabledOnServerOnly) {
  constexpr std::string_view kRule = "tcp_tw_reuse_enabled_on_server_only";
  AdviceFigures figures = healthy();
  figures.sockets->time_wait_server = 99'001;
  figures.sockets->time_wait_client = 999;
  EXPECT_EQ(judge(kRule, figures), "") << "reuse is not enabled";
  figures.tcp_tw_reuse = 1;
  EXPECT_EQ(judge(kRule, figures),
            "net.ipv4.tcp_tw_reuse is 1, but of 100000 TIME-WAIT sockets only 999 are of outgoing "
            "connections");
  figures.sockets->time_wait_client = 1'001;
  EXPECT_EQ(judge(kRule, figures), "") << "one in a hundred is of a client";
  figures.sockets->time_wait_client = 0;
  figures.sockets->time_wait_server = 99;
  EXPECT_EQ(judge(kRule, figures), "") << "too few to tell";
  figures.sockets->time_wait_server = 100;
  EXPECT_NE(judge(kRule, figures), "");
  figures.sockets = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, EphemeralRangeNarrowerThanTheDefault) {
  constexpr std::string_view kRule = "ephemeral_range_narrow";
  AdviceFigures figures = healthy();
  figures.port_range = PortRange{32769, 60999};
  figures.port_capacity = 28'231;
  EXPECT_EQ(judge(kRule, figures),
            "28231 ports in net.ipv4.ip_local_port_range 32769-60999 are not reserved; the "
            "kernel's default has 28232");
  figures.sockets = std::nullopt;
  EXPECT_NE(judge(kRule, figures), "absent") << "that needs no sockets";
  figures.port_capacity = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, EphemeralRangeNarrowedByReservedPorts) {
  constexpr std::string_view kRule = "ephemeral_range_narrow";
  AdviceFigures figures = healthy();
  figures.port_capacity = 28'000;
  EXPECT_EQ(judge(kRule, figures), "") << "to reserve listeners' ports is what is advised";
  figures.port_capacity = 25'000;
  EXPECT_THAT(judge(kRule, figures), HasSubstr("25000 ports"));
}

TEST(AdviceRules, EphemeralRangeNarrowForItsUse) {
  constexpr std::string_view kRule = "ephemeral_range_narrow";
  AdviceFigures figures = healthy();
  figures.sockets->ports->connect_usage_ratio_max = 0.5;
  EXPECT_EQ(judge(kRule, figures),
            "28232 ports in net.ipv4.ip_local_port_range 32768-60999 are not reserved, and 50 % of "
            "them are taken for one destination");
  figures.sockets->ports->connect_usage_ratio_max = 0.49;
  EXPECT_EQ(judge(kRule, figures), "");
  figures.sockets->ports = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent") << "the use is not known";

  figures = healthy();
  figures.port_range = PortRange{1024, 65535};
  figures.port_capacity = 64'512;
  figures.sockets->ports->connect_usage_ratio_max = 1;
  EXPECT_EQ(judge(kRule, figures), "") << "it cannot be much wider";
}

TEST(AdviceRules, ListenerInsideEphemeralRange) {
  constexpr std::string_view kRule = "listener_inside_ephemeral_range";
  AdviceFigures figures = healthy();
  figures.sockets->ports->with_listener = 2;
  figures.sockets->ports->lowest_with_listener = 33306;
  EXPECT_EQ(judge(kRule, figures),
            "2 of 28232 ephemeral ports have a listening socket, the lowest 33306");
  figures.sockets->ports = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, EphemeralPortsBlockedByBind) {
  constexpr std::string_view kRule = "ephemeral_ports_blocked_by_bind";
  AdviceFigures figures = healthy();
  figures.sockets->ports->blocked_observed = 1'000;
  figures.sockets->ports->blocked_inferred = 1'823;
  EXPECT_EQ(judge(kRule, figures), "") << "2823 is less than a tenth";
  figures.sockets->ports->blocked_inferred = 1'824;
  EXPECT_EQ(judge(kRule, figures),
            "2824 of 28232 ephemeral ports are blocked for every connect(), 1000 observed and 1824 "
            "inferred");
  figures.sockets->ports = PortFindings{};
  EXPECT_EQ(judge(kRule, figures), "") << "nothing of nothing";
}

TEST(AdviceRules, TimeWaitBucketLimitNear) {
  constexpr std::string_view kRule = "time_wait_bucket_limit_near";
  AdviceFigures figures = healthy();
  figures.tcp_max_tw_buckets = 1'000;
  figures.time_wait = 799;
  EXPECT_EQ(judge(kRule, figures), "");
  figures.time_wait = 800;
  EXPECT_EQ(judge(kRule, figures),
            "800 TIME-WAIT sockets of at most 1000 (net.ipv4.tcp_max_tw_buckets)");
  figures.time_wait_overflows = std::nullopt;
  EXPECT_NE(judge(kRule, figures), "absent") << "so many are near, whatever the counter says";
  figures.time_wait = 799;
  EXPECT_EQ(judge(kRule, figures), "absent") << "an overflow would not be seen";
  figures.time_wait = 0;
  figures.time_wait_overflows = 7;
  EXPECT_THAT(judge(kRule, figures), AllOf(HasSubstr("0 TIME-WAIT sockets of at most 1000"),
                                           HasSubstr("7 closes without one of late")));
  figures = healthy();
  figures.tcp_max_tw_buckets = 0;
  figures.time_wait = 0;
  EXPECT_NE(judge(kRule, figures), "") << "0 allows none";
  figures.time_wait = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, TimeWaitBucketLimitLow) {
  constexpr std::string_view kRule = "time_wait_bucket_limit_low";
  AdviceFigures figures = healthy();
  figures.tcp_max_tw_buckets = 28'232;
  EXPECT_EQ(judge(kRule, figures), "");
  figures.tcp_max_tw_buckets = 28'231;
  EXPECT_EQ(judge(kRule, figures),
            "net.ipv4.tcp_max_tw_buckets is 28231, below the 28232 ephemeral ports that one "
            "destination can fill");
  figures.port_capacity = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, TcpRfc1337OffResetRisk) {
  constexpr std::string_view kRule = "tcp_rfc1337_off_reset_risk";
  AdviceFigures figures = healthy();
  figures.time_wait = 1'000;
  EXPECT_EQ(judge(kRule, figures),
            "net.ipv4.tcp_rfc1337 is 0: a RST ends any of 1000 TIME-WAIT sockets early");
  figures.tcp_rfc1337 = 1;
  EXPECT_EQ(judge(kRule, figures), "");
  figures.time_wait = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, FinTimeoutDoesNotShortenTimeWait) {
  constexpr std::string_view kRule = "fin_timeout_does_not_shorten_time_wait";
  AdviceFigures figures = healthy();
  figures.tcp_fin_timeout = 59;
  EXPECT_EQ(judge(kRule, figures),
            "net.ipv4.tcp_fin_timeout is 59 seconds, which is for FIN-WAIT-2; TIME-WAIT lasts 60 "
            "all the same");
  figures.tcp_fin_timeout = 120;
  EXPECT_EQ(judge(kRule, figures), "");
}

TEST(AdviceRules, CloseWaitAccumulating) {
  constexpr std::string_view kRule = "close_wait_accumulating";
  AdviceFigures figures = healthy();
  figures.sockets->close_wait = 120;
  figures.many_close_wait_for = 299s;
  EXPECT_EQ(judge(kRule, figures), "");
  figures.many_close_wait_for = 6min + 59s;
  EXPECT_EQ(judge(kRule, figures), "120 sockets in CLOSE-WAIT, and at least 100 for 6 minutes");
  figures.sockets = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, LingerResetsInFinWait2) {
  constexpr std::string_view kRule = "linger_resets";
  AdviceFigures figures = healthy();
  figures.aborts_on_linger = 1;
  EXPECT_EQ(judge(kRule, figures),
            "9 resets at or after a close (TCPAbortOnData) and 1 in FIN-WAIT-2 (TCPAbortOnLinger) "
            "of late, beside 5000 closes into TIME-WAIT");
  figures.aborts_on_linger = std::nullopt;
  EXPECT_EQ(judge(kRule, figures), "absent");
}

TEST(AdviceRules, LingerResetsInsteadOfTimeWait) {
  constexpr std::string_view kRule = "linger_resets";
  AdviceFigures figures = healthy();
  figures.time_wait_entries = 0;
  EXPECT_EQ(judge(kRule, figures), "") << "single resets have other causes";
  figures.aborts_on_data = 10;
  EXPECT_THAT(judge(kRule, figures), HasSubstr("10 resets at or after a close (TCPAbortOnData)"));
  figures.time_wait_entries = 90;
  EXPECT_NE(judge(kRule, figures), "") << "a tenth of 100 closes";
  figures.time_wait_entries = 91;
  EXPECT_EQ(judge(kRule, figures), "") << "less than a tenth";
}

// --- what is remembered

TEST(RecentRise, IsZeroAtTheFirstReading) { EXPECT_EQ(RecentRise().see(kStart, 1'000), 0U); }

TEST(RecentRise, LastsForFiveMinutes) {
  RecentRise rise;
  rise.see(kStart, 10);
  EXPECT_EQ(rise.see(kStart + 15s, 13), 3U);
  EXPECT_EQ(rise.see(kStart + 30s, 13), 3U) << "it does not come and go from poll to poll";
  EXPECT_EQ(rise.see(kStart + 299s, 13), 3U);
  EXPECT_EQ(rise.see(kStart + 330s, 13), 0U);
}

TEST(RecentRise, ComparesWithThePollBeforeWhereThatIsLongerAgo) {
  RecentRise rise;
  rise.see(kStart, 10);
  EXPECT_EQ(rise.see(kStart + 1h, 13), 3U);
  EXPECT_EQ(rise.see(kStart + 2h, 13), 0U);
  EXPECT_EQ(rise.see(kStart + 3h, 14), 1U);
}

TEST(RecentRise, BeginsAnewWithACounterThatDoes) {
  RecentRise rise;
  rise.see(kStart, 1'000);
  EXPECT_EQ(rise.see(kStart + 15s, 2), 0U);
  EXPECT_EQ(rise.see(kStart + 30s, 5), 3U);
}

TEST(RecentRise, IsBoundedAtAnyInterval) {
  RecentRise rise;
  for (int i = 0; i < 100'000; ++i) {
    const auto value = static_cast<std::uint64_t>(i);
    const std::uint64_t found = rise.see(kStart + i * 10ms, value);
    ASSERT_LE(rise.remembered(), 22U) << "at reading " << i;
    if (i > 31'500) {
      ASSERT_GE(found, 30'000U);
      ASSERT_LE(found, 31'500U);
    }
  }
}

TEST(LastingCount, LastsFromTheFirstLookAtTheThreshold) {
  LastingCount many(100);
  EXPECT_EQ(many.see(kStart, 99), 0s);
  EXPECT_EQ(many.see(kStart + 15s, 100), 0s);
  EXPECT_EQ(many.see(kStart + 45s, 5'000), 30s);
  EXPECT_EQ(many.see(kStart + 60s, 99), 0s) << "it fell below";
  EXPECT_EQ(many.see(kStart + 75s, 100), 0s);
}

TEST(LastingCount, ProvesNothingAcrossAGap) {
  LastingCount many(100);
  many.see(kStart, 100);
  many.forget();
  EXPECT_EQ(many.see(kStart + 10min, 100), 0s);
}

// --- the documentation

TEST(AdviceRules, EachHasAPageInTheRunbooks) {
  for (const AdviceRule& rule : advice_rules()) {
    const std::string name(rule.name);
    const std::string page = TIMEWAIT_SOURCE_DIR "/docs/runbooks/" + name + ".md";
    std::string title;
    std::getline(std::ifstream(page), title);
    EXPECT_EQ(title, "# " + name) << page << " is where the log's page= leads";
  }
}

}  // namespace
}  // namespace timewait
