#include "config/load.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/quote.h"

namespace timewait::config {
namespace {

Loaded read_config(const std::filesystem::path& file) {
  return config::read_config(file, Occasion::kStart);
}

using namespace std::string_view_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

std::vector<std::string> as_text(const Problems& problems) {
  std::vector<std::string> texts;
  for (const Problem& problem : problems) texts.push_back(to_string("f", problem));
  return texts;
}

std::vector<std::string> problems_of(std::string_view text) {
  return as_text(parse_config(text).problems);
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

void expect_defaults(const Config& config) {
  EXPECT_THAT(config.interval, Eq(std::chrono::seconds{15}));
  EXPECT_THAT(config.web.listen_addresses, ElementsAre(ListenAddress::any(10060)));
  EXPECT_THAT(config.web.telemetry_path, Eq("/metrics"));
  EXPECT_THAT(config.web.max_connections, Eq(512U));
  EXPECT_THAT(config.collectors, IsEmpty());
}

TEST(ParseConfig, ReadsEveryKey) {
  const Loaded loaded = parse_config(R"(
interval: 1m30s
web:
  listen_addresses: ["127.0.0.1:0", "[::1]:9100", unix:/run/x.sock]
  telemetry_path: /stats/all
  max_connections: 65536
collectors:
  sock_diag: { enabled: true, interval: 15s }
  slabinfo:
    caches:
      - tw_sock_TCP
)");
  ASSERT_THAT(as_text(loaded.problems), IsEmpty());
  EXPECT_THAT(loaded.config.interval, Eq(std::chrono::seconds{90}));
  EXPECT_THAT(loaded.config.web.listen_addresses,
              ElementsAre(ListenAddress{"127.0.0.1", 0, {}}, ListenAddress{"::1", 9100, {}},
                          ListenAddress{{}, 0, "/run/x.sock"}));
  EXPECT_THAT(loaded.config.web.telemetry_path, Eq("/stats/all"));
  EXPECT_THAT(loaded.config.web.max_connections, Eq(65536U));
  EXPECT_THAT(loaded.config.collectors, SizeIs(2));
}

TEST(ParseConfig, HandsCollectorSectionsOverUnread) {
  const Loaded loaded = parse_config(
      "collectors:\n"
      "  anything: { flag: true, number: \"15\", nested: { items: [a, ~] } }\n"
      "  empty:\n");
  ASSERT_THAT(as_text(loaded.problems), IsEmpty());
  ASSERT_THAT(loaded.config.collectors, SizeIs(2));

  const CollectorSection& section = loaded.config.collectors[0];
  EXPECT_THAT(section.name, Eq("anything"));
  EXPECT_THAT(section.place.line, Eq(2U));
  EXPECT_THAT(section.place.column, Eq(3U));
  const Map& options = std::get<Map>(section.options.data);
  ASSERT_THAT(options, SizeIs(3));
  EXPECT_THAT(options[0].key, Eq("flag"));
  EXPECT_THAT(options[0].place.column, Eq(15U));
  EXPECT_THAT(options[0].value.place.column, Eq(21U));
  EXPECT_FALSE(std::get<Scalar>(options[0].value.data).quoted);
  EXPECT_TRUE(std::get<Scalar>(options[1].value.data).quoted);
  const Map& nested = std::get<Map>(options[2].value.data);
  const List& items = std::get<List>(nested.at(0).value.data);
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(std::get<Scalar>(items[0].data).text, Eq("a"));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(items[1].data));

  EXPECT_THAT(loaded.config.collectors[1].name, Eq("empty"));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(loaded.config.collectors[1].options.data));
}

TEST(ParseConfig, ReadsEmptyTextsAsTheDefaults) {
  for (const std::string_view text :
       {"", "\n\n", "# comment only", "---\n", "---\n...\n", "...", "~", "null\n", "{}",
        "\xEF\xBB\xBF", "\xEF\xBB\xBF# mark\n", "web:\ncollectors:\n", "web: {}", "web: ~\n",
        "\r\n# x\r\n", "   \t "}) {
    const Loaded loaded = parse_config(text);
    EXPECT_THAT(as_text(loaded.problems), IsEmpty()) << testing::PrintToString(text);
    expect_defaults(loaded.config);
  }
}

TEST(ParseConfig, ToleratesAByteOrderMarkAndWindowsLineEnds) {
  const Loaded loaded =
      parse_config("\xEF\xBB\xBFinterval: 1s\r\nweb:\r\n  max_connections: 7\r\n");
  EXPECT_THAT(as_text(loaded.problems), IsEmpty());
  EXPECT_THAT(loaded.config.interval, Eq(std::chrono::seconds{1}));
  EXPECT_THAT(loaded.config.web.max_connections, Eq(7U));
}

TEST(ParseConfig, CountsColumnsAfterAByteOrderMarkFromOne) {
  EXPECT_THAT(problems_of("\xEF\xBB\xBFx: 1"), ElementsAre("f:1:1: unknown key \"x\""));
  EXPECT_THAT(problems_of("\xEF\xBB\xBF%YAML 1.2\n---\n"),
              ElementsAre(StartsWith("f:1:1: directives")));
}

TEST(ParseConfig, ReportsEverythingAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(
      problems_of("intervall: 5s\n"
                  "interval: 15\n"
                  "collectors:\n"
                  "  sock_diag: false\n"
                  "  netstat: { a: 1, a: 2 }\n"
                  "web:\n"
                  "  max_connections: many\n"
                  "  max_connections: 3\n"
                  "  listen_addresses: [\":1\", \"x\", ~, \":1\"]\n"
                  "  telemetrypath: /a\n"
                  "  telemetry_path: a\n"),
      ElementsAre("f:1:1: unknown key \"intervall\"; did you mean \"interval\"?",
                  "f:2:11: interval: expected a duration such as 15s, found \"15\"",
                  "f:4:14: collectors.sock_diag: expected a mapping of options, found a text",
                  "f:5:20: collectors.netstat: duplicate key \"a\", first on line 5",
                  "f:7:20: web.max_connections: expected a whole number between 1 and 65536, found "
                  "\"many\"",
                  "f:8:3: web: duplicate key \"max_connections\", first on line 7",
                  "f:9:21: web.listen_addresses: item 3: expected a text, found nothing",
                  AllOf(StartsWith("f:9:28: web.listen_addresses: item 2: expected an address"),
                        HasSubstr("found \"x\"")),
                  "f:9:36: web.listen_addresses: item 4: duplicate address \":1\"",
                  "f:10:3: web: unknown key \"telemetrypath\"; did you mean \"telemetry_path\"?",
                  StartsWith("f:11:19: web.telemetry_path: expected a path such as /metrics")));
}

TEST(ParseConfig, ReportsDuplicateKeysOnEveryLevel) {
  EXPECT_THAT(problems_of("interval: 1s\n\"interval\": 2s\n"),
              ElementsAre("f:2:1: duplicate key \"interval\", first on line 1"));
  EXPECT_THAT(problems_of("collectors:\n  a: {}\n  b: {}\n  a: {}\n"),
              ElementsAre("f:4:3: collectors: duplicate key \"a\", first on line 2"));
  EXPECT_THAT(problems_of("collectors: {a: {b: [{c: 1, c: 2, c: 3}]}}"),
              ElementsAre("f:1:29: collectors.a.b: duplicate key \"c\", first on line 1",
                          "f:1:35: collectors.a.b: duplicate key \"c\", first on line 1"));
}

TEST(ParseConfig, KeepsTheFirstOfDuplicateKeys) {
  const Loaded loaded = parse_config("collectors: {a: {x: 1, x: 2}, a: {}, b: {}}");
  EXPECT_THAT(loaded.problems, SizeIs(2));
  ASSERT_THAT(loaded.config.collectors, SizeIs(2));
  EXPECT_THAT(loaded.config.collectors[1].name, Eq("b"));
  const Map& options = std::get<Map>(loaded.config.collectors[0].options.data);
  ASSERT_THAT(options, SizeIs(1));
  EXPECT_THAT(std::get<Scalar>(options[0].value.data).text, Eq("1"));
}

TEST(ParseConfig, HandsACollectorOfTheWrongTypeOverAsEmpty) {
  const Loaded loaded = parse_config("collectors: {a: [x], b: false}");
  EXPECT_THAT(loaded.problems, SizeIs(2));
  ASSERT_THAT(loaded.config.collectors, SizeIs(2));
  for (const CollectorSection& section : loaded.config.collectors) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(section.options.data)) << section.name;
  }
}

TEST(ParseConfig, DoesNotReadBeyondTheEndOfTheText) {
  const std::string_view euro = "a: \xE2\x82\xAC";
  EXPECT_THAT(problems_of(euro), ElementsAre("f:1:1: unknown key \"a\""));
  EXPECT_THAT(problems_of(euro.substr(0, euro.size() - 1)),
              ElementsAre(StartsWith("f:1:4: expected UTF-8 text")));
}

TEST(ParseConfig, ReportsSectionsOfTheWrongType) {
  EXPECT_THAT(problems_of("web: 5\ncollectors: []\n"),
              ElementsAre("f:1:6: web: expected a mapping of options, found a text",
                          "f:2:13: collectors: expected a mapping, found a list"));
  EXPECT_THAT(problems_of("- interval: 5s\n"),
              ElementsAre("f:1:1: expected a mapping of options, found a list"));
  EXPECT_THAT(problems_of("interval"),
              ElementsAre("f:1:1: expected a mapping of options, found a text"));
}

TEST(ParseConfig, ReportsAMissingValueAtItsKey) {
  EXPECT_THAT(problems_of("interval:\nweb:\n  telemetry_path: ~\n  max_connections: null\n"),
              ElementsAre("f:1:1: interval: expected a duration such as 15s, found nothing",
                          "f:3:3: web.telemetry_path: expected a text, found nothing",
                          StartsWith("f:4:3: web.max_connections: expected a whole number")));
}

TEST(ParseConfig, BoundsTheInterval) {
  EXPECT_THAT(problems_of("interval: 10ms"), IsEmpty());
  EXPECT_THAT(problems_of("interval: 1h"), IsEmpty());
  for (const std::string_view text : {"interval: 9ms", "interval: 1h1ms", "interval: 0s"}) {
    EXPECT_THAT(problems_of(text),
                ElementsAre(HasSubstr("interval: expected a duration between 10ms and 1h")));
  }
}

TEST(ParseConfig, BoundsTheConnections) {
  EXPECT_THAT(problems_of("web: {max_connections: 1}"), IsEmpty());
  for (const std::string_view text : {"0", "-1", "65537", "1e3", "0x10", "\"15\"", "1.0"}) {
    EXPECT_THAT(problems_of("web: {max_connections: " + std::string(text) + "}"),
                ElementsAre(HasSubstr("expected a whole number between 1 and 65536")))
        << text;
  }
}

TEST(ParseConfig, ReadsALeadingZeroAsDecimal) {
  const Loaded loaded = parse_config("web: {max_connections: 010}");
  EXPECT_THAT(as_text(loaded.problems), IsEmpty());
  EXPECT_THAT(loaded.config.web.max_connections, Eq(10U));
}

TEST(ParseConfig, RejectsPathsThatCannotServeMetrics) {
  for (const std::string_view path :
       {"/", "/-/", "/-/healthy", "metrics", "", "/a?b", "/a#b", "/a b", "/a\\n", "/a\\x7f", "/\\0",
        "/m\\u00e9trics", " /metrics", "http://x/metrics"}) {
    EXPECT_THAT(problems_of("web: {telemetry_path: \"" + std::string(path) + "\"}"),
                ElementsAre(HasSubstr("web.telemetry_path: expected a path such as /metrics")))
        << path;
  }
  for (const std::string_view path : {"/metrics", "/a/b", "/-", "/a/-/b", "/metrics/"}) {
    EXPECT_THAT(problems_of("web: {telemetry_path: " + std::string(path) + "}"), IsEmpty()) << path;
  }
}

TEST(ParseConfig, RejectsListsWithoutAddress) {
  EXPECT_THAT(problems_of("web: {listen_addresses: []}"),
              ElementsAre("f:1:25: web.listen_addresses: expected at least one address, found an "
                          "empty list"));
  EXPECT_THAT(problems_of("web: {listen_addresses: \":80\"}"),
              ElementsAre("f:1:25: web.listen_addresses: expected a list such as [a, b], found the "
                          "quoted text \":80\""));
}

TEST(ParseConfig, RejectsTheSameAddressInTwoSpellings) {
  EXPECT_THAT(problems_of("web: {listen_addresses: [\"[::1]:1\", \"[0:0::1]:01\"]}"),
              ElementsAre("f:1:37: web.listen_addresses: item 2: duplicate address "
                          "\"[0:0::1]:01\""));
}

TEST(ParseConfig, RejectsAnchorsAliasesMergeKeysAndTags) {
  EXPECT_THAT(
      problems_of("interval: &i 15s\n"
                  "collectors:\n"
                  "  a: { interval: *i, x: [*i] }\n"
                  "  b: { <<: { y: 1 }, \"<<\": 2 }\n"
                  "  c: !!map { z: !!binary aGk= }\n"
                  "  *i : 5\n"),
      ElementsAre("f:1:11: interval: anchors (&) are not supported",
                  StartsWith("f:3:18: collectors.a.interval: aliases (*) are not supported"),
                  StartsWith("f:3:26: collectors.a.x: aliases (*) are not supported"),
                  StartsWith("f:4:8: collectors.b: merge keys (<<) are not supported"),
                  "f:5:6: collectors.c: tags are not supported, found \"!!map\"",
                  "f:5:17: collectors.c.z: tags are not supported, found \"!!binary\"",
                  StartsWith("f:6:3: collectors: aliases (*) are not supported")));
}

TEST(ParseConfig, RejectsKeysThatAreNoNames) {
  EXPECT_THAT(
      problems_of("? [a]\n: 1\n? {b: c}\n: 2\n~: 3\n"),
      ElementsAre("f:1:3: expected a plain name as key", "f:3:3: expected a plain name as key",
                  "f:5:1: expected a plain name as key"));
}

struct Refused {
  std::string_view what;
  std::string text;
  std::string problem;
};

std::ostream& operator<<(std::ostream& out, const Refused& refused) { return out << refused.what; }

std::string name_of(const testing::TestParamInfo<Refused>& info) {
  return std::string(info.param.what);
}

class ParseConfigRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ParseConfigRefuses, WithOneProblemAndItsPlace) {
  const Loaded loaded = parse_config(GetParam().text);
  EXPECT_THAT(as_text(loaded.problems), ElementsAre(StartsWith(GetParam().problem)));
  expect_defaults(loaded.config);
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, ParseConfigRefuses,
    testing::Values(
        Refused{"ColonInAValue", "x: 1\ninterval: 1s: 2s\n", "f:2:13: cannot read this as YAML: "},
        Refused{"Tab", "web:\n\tmax_connections: 1\n", "f:2:17: cannot read this as YAML: "},
        Refused{"OpenList", "a: [1, 2\n", "f:2:1: cannot read this as YAML: "},
        Refused{"OpenMapping", "a: {b: c", "f:1:9: cannot read this as YAML: "},
        Refused{"OpenQuotes", "a: \"b\n",
                "f:2:1: cannot read this as YAML: a quoted text has no end"},
        Refused{"OpenSingleQuotes", "a: 'b",
                "f:1:6: cannot read this as YAML: a quoted text has no end"},
        Refused{"UnknownEscape", "a: \"\\\xC3\xA9\"",
                "f:1:7: cannot read this as YAML: unknown escape character: \\xc3"},
        Refused{"StrayBracket", "a: 1\n]\n", "f:2:1: cannot read this as YAML: "},
        Refused{"UndefinedAlias", "a: *b\n", "f:1:4: cannot read this as YAML: "},
        Refused{"TwoDocuments", "x: 1\n---\ny: 1\n",
                "f:2:1: cannot read this as YAML: expected a single document"},
        Refused{"TextAfterTheDocument", "{}\ninterval: 1s\n",
                "f:2:1: cannot read this as YAML: expected a single document"},
        Refused{"Directive", "interval: 1s\n%TAG ! x\n", "f:2:1: directives"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Bytes, ParseConfigRefuses,
    testing::Values(
        Refused{"Nul", std::string("a: \0", 4), "f:1:4: expected UTF-8 text"},
        Refused{"EndOfTransmission", "interval: 1s\n\x04 x: [", "f:2:1: expected UTF-8 text"},
        Refused{"Delete", "a: \x7F", "f:1:4: expected UTF-8 text"},
        Refused{"CarriageReturnAlone", "# a\rinterval: 1s\n", "f:1:4: expected UTF-8 text"},
        Refused{"Latin1", "a: caf\xE9\n", "f:1:7: expected UTF-8 text"},
        Refused{"Latin1InTheMiddle", "a: caf\xE9 au lait\n", "f:1:7: expected UTF-8 text"},
        Refused{"Overlong", "a: \xC0\xAF", "f:1:4: expected UTF-8 text"},
        Refused{"OverlongOfThreeBytes", "a: \xE0\x80\xAF", "f:1:4: expected UTF-8 text"},
        Refused{"Surrogate", "a: \xED\xA0\x80", "f:1:4: expected UTF-8 text"},
        Refused{"BeyondUnicode", "a: \xF4\x90\x80\x80", "f:1:4: expected UTF-8 text"},
        Refused{"CutOff", "a: \xE2\x82", "f:1:4: expected UTF-8 text"},
        Refused{"StrayContinuation", "a: \x80", "f:1:4: expected UTF-8 text"},
        Refused{"Utf16",
                std::string("\xFF\xFE"
                            "a\0",
                            4),
                "f:1:1: expected UTF-8 text"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Sizes, ParseConfigRefuses,
    testing::Values(Refused{"TooDeepInFlow", repeat("[", 17) + repeat("]", 17),
                            "f:1:17: cannot read this as YAML: nested deeper"},
                    Refused{"FarTooDeepInFlow", repeat("{a: ", 100'000) + repeat("}", 100'000),
                            "f:1:65: cannot read this as YAML: nested deeper"},
                    Refused{"FarTooDeepInBlocks", repeat("- ", 100'000),
                            "f:1:33: cannot read this as YAML: nested deeper"},
                    Refused{"FarTooDeepInKeys", repeat("? ", 100'000),
                            "f:1:33: cannot read this as YAML: nested deeper"},
                    Refused{"TooManyValues", repeat("- a\n", 10'000),
                            "f:10000:3: cannot read this as YAML: more than 10000 values"},
                    Refused{"TooManyAliases", "- &a x\n" + repeat("- *a\n", 10'000),
                            "f:10000:3: cannot read this as YAML: more than 10000 values"},
                    Refused{"TooLarge", repeat("#", (1U << 20U) + 1),
                            "f: is larger than 1048576 bytes"}),
    name_of);

TEST(ParseConfig, AcceptsWhatIsJustWithinTheLimits) {
  EXPECT_THAT(problems_of(repeat("#", 1U << 20U)), IsEmpty());
  EXPECT_THAT(problems_of("collectors: {a: {b: " + repeat("[", 13) + repeat("]", 13) + "}}"),
              IsEmpty());
  EXPECT_THAT(problems_of("collectors:\n  a:\n    b:\n" + repeat("    - x\n", 9'900)), IsEmpty());
}

TEST(ParseConfig, DoesNotFollowAliases) {
  std::string bomb = "collectors:\n  a0: &a0 {x: 1}\n";
  for (int i = 1; i <= 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " {";
    for (const char key : "pqrstuvw"sv) bomb += std::string(1, key) + ": " + last + ", ";
    bomb += "}\n";
  }
  const Loaded loaded = parse_config(bomb);
  EXPECT_THAT(loaded.problems, SizeIs(21 + 20 * 8));
  ASSERT_THAT(loaded.config.collectors, SizeIs(21));
  EXPECT_THAT(std::get<Map>(loaded.config.collectors[20].options.data), IsEmpty());
}

TEST(ParseConfig, TakesNonAsciiTextOver) {
  const Loaded loaded = parse_config("collectors: {a: {b: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80}}");
  ASSERT_THAT(as_text(loaded.problems), IsEmpty());
  const Map& options = std::get<Map>(loaded.config.collectors.at(0).options.data);
  EXPECT_THAT(std::get<Scalar>(options.at(0).value.data).text,
              Eq("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
}

class ReadConfig : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "timewait_config_XXXXXX";
    ASSERT_THAT(mkdtemp(name.data()), testing::NotNull());
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path path(std::string_view name) const { return directory_ / name; }
  std::filesystem::path write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(ReadConfig, ReadsAFile) {
  const Loaded loaded = read_config(write("c.yaml", "interval: 1s\nx: 1\n"));
  EXPECT_THAT(as_text(loaded.problems), ElementsAre("f:2:1: unknown key \"x\""));
  EXPECT_THAT(loaded.config.interval, Eq(std::chrono::seconds{1}));
}

TEST_F(ReadConfig, ReadsAnEmptyFileAsTheDefaults) {
  const Loaded loaded = read_config(write("c.yaml", ""));
  EXPECT_THAT(as_text(loaded.problems), IsEmpty());
  expect_defaults(loaded.config);
}

TEST_F(ReadConfig, ReadsALink) {
  std::filesystem::create_symlink(write("c.yaml", "interval: 1s"), path("link"));
  EXPECT_THAT(read_config(path("link")).config.interval, Eq(std::chrono::seconds{1}));
}

TEST_F(ReadConfig, ReadsAPipe) {
  const std::filesystem::path pipe = path("pipe");
  ASSERT_THAT(mkfifo(pipe.c_str(), 0600), Eq(0));
  std::thread writer([&] { std::ofstream(pipe) << "interval: 1s\n"; });
  const Loaded loaded = read_config(pipe);
  writer.join();
  EXPECT_THAT(as_text(loaded.problems), IsEmpty());
  EXPECT_THAT(loaded.config.interval, Eq(std::chrono::seconds{1}));
}

TEST_F(ReadConfig, ReportsAFileThatCannotBeRead) {
  const std::string missing = "f: cannot read the file: No such file or directory";
  EXPECT_THAT(as_text(read_config(path("missing")).problems), ElementsAre(missing));
  EXPECT_THAT(as_text(read_config("").problems), ElementsAre(missing));
  std::filesystem::create_symlink(path("nowhere"), path("dangling"));
  EXPECT_THAT(as_text(read_config(path("dangling")).problems), ElementsAre(missing));
  EXPECT_THAT(as_text(read_config(write("c.yaml", "") / "below").problems),
              ElementsAre("f: cannot read the file: Not a directory"));
}

TEST_F(ReadConfig, ReportsWhatIsNoFile) {
  EXPECT_THAT(as_text(read_config(path("")).problems), ElementsAre("f: is a directory"));
  EXPECT_THAT(as_text(read_config("/dev/zero").problems),
              ElementsAre("f: is neither a regular file nor a pipe"));
}

TEST_F(ReadConfig, ReportsAFileThatIsTooLarge) {
  EXPECT_THAT(as_text(read_config(write("c.yaml", repeat("#", 3U << 20U))).problems),
              ElementsAre("f: is larger than 1048576 bytes"));
}

TEST(ProblemToString, WritesThePlaceAsCompilersDo) {
  EXPECT_THAT(to_string("a.yaml", {{3, 14}, "is wrong"}), Eq("a.yaml:3:14: is wrong"));
  EXPECT_THAT(to_string("a.yaml", {{}, "is missing"}), Eq("a.yaml: is missing"));
}

TEST(SortByPlace, OrdersByLineThenColumn) {
  Problems problems = {{{2, 1}, "c"}, {{1, 9}, "b"}, {{10, 1}, "e"}, {{2, 3}, "d"}, {{}, "a"}};
  sort_by_place(problems);
  std::string order;
  for (const Problem& problem : problems) order += problem.message;
  EXPECT_THAT(order, Eq("abcde"));
}

TEST(SortByPlace, KeepsTheOrderOfProblemsOfOnePlace) {
  Problems problems;
  for (char c = 'A'; c <= 'z'; ++c) problems.push_back({{1, 1}, std::string(1, c)});
  sort_by_place(problems);
  std::string order;
  for (const Problem& problem : problems) order += problem.message;
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << order;
}

TEST(InQuotes, EscapesEverythingButPrintableAscii) {
  EXPECT_THAT(in_quotes("a b~"), Eq("\"a b~\""));
  EXPECT_THAT(in_quotes("\"\\\n\t\x01\x7F\xC3\xA9"sv), Eq(R"("\"\\\n\t\x01\x7f\xc3\xa9")"));
  EXPECT_THAT(in_quotes("\0"sv), Eq(R"("\x00")"));
}

TEST(InQuotes, CutsLongText) {
  EXPECT_THAT(in_quotes(repeat("x", 80)), Eq('"' + repeat("x", 80) + '"'));
  EXPECT_THAT(in_quotes(repeat("x", 81)), Eq('"' + repeat("x", 80) + "...\""));
}

TEST_F(ReadConfig, DoesNotWaitForAPipeWhereNoneIsAllowed) {
  const auto pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Loaded loaded = config::read_config(pipe, Occasion::kReload);
  EXPECT_THAT(as_text(loaded.problems), ElementsAre("f: is not a regular file"));
}

TEST_F(ReadConfig, AnEmptyFileIsNoneForAReload) {
  const Loaded empty = config::read_config(write("c.yaml", ""), Occasion::kReload);
  EXPECT_THAT(as_text(empty.problems), ElementsAre(StartsWith("f: is empty, as a file that is")));
  const Loaded comment = config::read_config(write("c.yaml", "# defaults\n"), Occasion::kReload);
  EXPECT_THAT(as_text(comment.problems), IsEmpty());
}

}  // namespace
}  // namespace timewait::config
