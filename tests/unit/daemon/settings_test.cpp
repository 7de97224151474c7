#include "daemon/settings.h"

#include <fstream>

#include "collectors/registry.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  ResolvedSettings read(const std::string& text, std::vector<const char*> arguments = {}) {
    std::ofstream(file_) << text;
    arguments.insert(arguments.begin(), "timewait_exporter");
    const auto parsed = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    CommandLine flags = std::get<CommandLine>(parsed);
    flags.config_file = file_;
    return read_settings(flags);
  }

  static std::vector<std::string> names(const ResolvedSettings& resolved) {
    std::vector<std::string> names;
    for (const auto& collector : resolved.settings.collectors) names.emplace_back(collector.name);
    return names;
  }

  static std::vector<std::string> messages(const ResolvedSettings& resolved) {
    std::vector<std::string> messages;
    for (const auto& problem : resolved.problems) {
      messages.push_back(config::to_string("f", problem));
    }
    return messages;
  }

  const std::string file_ =
      ::testing::TempDir() + "settings_test_" + std::to_string(::getpid()) + ".yaml";

  ~SettingsTest() override { std::filesystem::remove(file_); }
};

TEST_F(SettingsTest, DefaultsNeedNoFile) {
  const ResolvedSettings resolved = read_settings({});
  EXPECT_THAT(messages(resolved), ElementsAre());
  EXPECT_EQ(resolved.settings.collectors.size(), all_collectors().size());
  for (const CollectorSettings& collector : resolved.settings.collectors) {
    EXPECT_EQ(collector.interval, 15s) << collector.name;
  }
  EXPECT_EQ(resolved.settings.web.listen_addresses.at(0).port, 10060);
}

TEST_F(SettingsTest, AFlagWinsOverTheFile) {
  const ResolvedSettings resolved = read(
      "web: {listen_addresses: [\":1\"], telemetry_path: /file}\n"
      "collectors: {netstat: {enabled: false}, sysctl: {enabled: true}}\n",
      {"--web.listen-address", "127.0.0.1:2", "--web.listen-address=[::1]:3",
       "--web.telemetry-path", "/flag", "--collector.netstat", "--no-collector.sysctl"});
  EXPECT_THAT(messages(resolved), ElementsAre());
  EXPECT_EQ(resolved.settings.web.listen_addresses.size(), 2U);
  EXPECT_EQ(resolved.settings.web.telemetry_path, "/flag");
  EXPECT_THAT(names(resolved), ElementsAre("sock_diag", "netstat", "sockstat", "slabinfo",
                                           "connect_failures", "advice"));
}

TEST_F(SettingsTest, DisableDefaultsKeepsWhatIsEnabledByName) {
  EXPECT_THAT(names(read("collectors: {sysctl: {enabled: true}}",
                         {"--collector.disable-defaults", "--collector.netstat"})),
              ElementsAre("netstat", "sysctl"));
}

TEST_F(SettingsTest, ACollectorsIntervalDefaultsToTheGlobalOne) {
  const ResolvedSettings resolved =
      read("interval: 30s\ncollectors: {slabinfo: {interval: 2m}, sysctl: {interval: 10s}}");
  EXPECT_EQ(resolved.settings.collectors.at(0).interval, 30s);
  EXPECT_EQ(resolved.settings.collectors.at(3).interval, 2min);
  EXPECT_EQ(resolved.settings.collectors.at(4).interval, 10s);
}

TEST_F(SettingsTest, SockDiagAloneHasACpuBudget) {
  for (const CollectorSettings& collector : read_settings({}).settings.collectors) {
    EXPECT_EQ(collector.cpu_budget_ratio,
              collector.name == "sock_diag" ? std::optional(0.02) : std::nullopt)
        << collector.name;
  }
  EXPECT_THAT(messages(read("collectors: {netstat: {cpu_budget_ratio: 0.1}}")),
              ElementsAre(HasSubstr("collectors.netstat: unknown key \"cpu_budget_ratio\"")));
}

TEST_F(SettingsTest, ACpuBudgetIsAShareOfACoreThatAllowsForPolls) {
  const auto configured = [&](const std::string& ratio) {
    return read("collectors: {sock_diag: {cpu_budget_ratio: " + ratio + "}}");
  };
  EXPECT_EQ(configured("0.5").settings.collectors.at(0).cpu_budget_ratio, 0.5);
  EXPECT_EQ(configured("1").settings.collectors.at(0).cpu_budget_ratio, 1);
  EXPECT_EQ(configured("0.0001").settings.collectors.at(0).cpu_budget_ratio, 0.0001);
  for (const char* wrong : {"0", "1e-300", "-0.1", "1.01", "nan", "2%", "[]", "true"}) {
    EXPECT_THAT(messages(configured(wrong)),
                ElementsAre(HasSubstr("cpu_budget_ratio: expected a number")))
        << wrong;
  }
}

TEST_F(SettingsTest, TellsEveryProblemAtOnceInTheOrderOfTheFile) {
  const ResolvedSettings resolved = read(
      "intervall: 5s\n"
      "collectors:\n"
      "  netstat: {extra_fields: [TW]}\n"
      "  nestat: {}\n"
      "  sysctl: {enabled: maybe}\n"
      "web: {max_connections: 0}\n");
  EXPECT_THAT(messages(resolved),
              ElementsAre(HasSubstr("f:1:1: "), HasSubstr("f:3:28: "), HasSubstr("f:4:3: "),
                          HasSubstr("f:5:21: "), HasSubstr("f:6:24: ")));
}

TEST_F(SettingsTest, NamesTheCollectorsWhereOneIsUnknown) {
  EXPECT_THAT(messages(read("collectors: {nestat: {}}")),
              ElementsAre(HasSubstr("unknown collector \"nestat\"; known are sock_diag, netstat")));
}

TEST_F(SettingsTest, ChecksDisabledCollectorsToo) {
  EXPECT_EQ(read("collectors: {sysctl: {enabled: false, extra: [\"..\"]}}").problems.size(), 1U);
}

TEST_F(SettingsTest, RefusesToRunWithoutAnyCollector) {
  EXPECT_THAT(messages(read("", {"--collector.disable-defaults"})),
              ElementsAre(HasSubstr("no collector is enabled")));
}

TEST(CommandLineTest, RejectsWhatItDoesNotKnow) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"x", "--bogus"},
                                             {"x", "stray"},
                                             {"x", "--log.level", "loud"},
                                             {"x", "--web.listen-address", "nowhere"},
                                             {"x", "--web.telemetry-path", "/-/ready"},
                                             {"x", "--collector.netstat=false"},
                                             {"x", "--path.procfs=", "--config.check"},
                                             {"x", "--config.file"}}) {
    ::testing::internal::CaptureStderr();
    const auto parsed = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    const std::string said = ::testing::internal::GetCapturedStderr();
    ASSERT_TRUE(std::holds_alternative<ExitNow>(parsed)) << arguments[1];
    EXPECT_EQ(std::get<ExitNow>(parsed).status, 2) << arguments[1];
    EXPECT_NE(said, "") << arguments[1] << " was refused without a word";
  }
}

TEST_F(SettingsTest, OptionsAreThoseOfTheCollectorAlone) {
  const auto options = [this](const std::string& section) {
    const ResolvedSettings resolved = read("collectors: {sock_diag: " + section + "}\n");
    EXPECT_THAT(messages(resolved), ElementsAre());
    return resolved.settings.collectors.at(0).options;
  };
  const config::Value top = options("{top: 5}");
  EXPECT_TRUE(has_same_content(
      top, options("{ enabled: true, interval: 1s, cpu_budget_ratio: 0.5, top: 5 }")));
  EXPECT_FALSE(has_same_content(top, options("{top: 6}")));
  EXPECT_FALSE(has_same_content(top, options("{}")));
  EXPECT_TRUE(has_same_content(options("{}"), options("")));
  EXPECT_TRUE(has_same_content(options("{}"), read("").settings.collectors.at(0).options));
}

}  // namespace
}  // namespace timewait
