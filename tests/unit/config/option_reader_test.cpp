#include "config/option_reader.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

Value plain(std::string text) { return {{}, Scalar{std::move(text), false}}; }
Value in_quotation_marks(std::string text) { return {{}, Scalar{std::move(text), true}}; }

/// Items stand in the columns 21, 22, ...
Value list_of(std::vector<Value> items) {
  for (std::size_t i = 0; i < items.size(); ++i) items[i].place.column = 21 + i;
  return {{}, std::move(items)};
}

using Options = std::vector<std::pair<std::string, Value>>;

/// One option per line, keys in column 3, values in column 20.
Value section_of(const Options& options) {
  Map map;
  for (auto [key, value] : options) {
    const std::size_t line = map.size() + 1;
    value.place = {line, 20};
    if (auto* items = std::get_if<List>(&value.data)) {
      for (Value& item : *items) item.place.line = line;
    }
    map.push_back({key, {line, 3}, std::move(value)});
  }
  return {{1, 1}, std::move(map)};
}

/// A reader named `c` of one section, and what it has reported as text.
class OptionReaderTest : public testing::Test {
 protected:
  OptionReader& read(const Options& options) {
    section_ = section_of(options);
    reader_.emplace(section_, "c", problems_);
    return *reader_;
  }

  std::vector<std::string> reported() const {
    std::vector<std::string> texts;
    for (const Problem& problem : problems_) texts.push_back(to_string("f", problem));
    return texts;
  }

 private:
  Value section_;
  Problems problems_;
  std::optional<OptionReader> reader_;
};

TEST_F(OptionReaderTest, ReturnsTheDefaultsOfAbsentKeysWithoutAProblem) {
  OptionReader& reader = read({});
  EXPECT_THAT(reader.boolean("k", true), Eq(true));
  EXPECT_THAT(reader.integer("k", 7, 1, 10), Eq(7));
  EXPECT_THAT(reader.number("k", 0.5, 0, 1), Eq(0.5));
  EXPECT_THAT(reader.text("k", "x"), Eq("x"));
  EXPECT_THAT(reader.duration("k", milliseconds{5}, {}, milliseconds{9}), Eq(milliseconds{5}));
  EXPECT_THAT(reader.list("k", {"a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(reader.entries("k"), IsEmpty());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(reader.section("k").data));
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, ReadsAnEmptySectionAsOneWithoutKeys) {
  const Value section{{4, 2}, {}};
  Problems problems;
  OptionReader reader(section, "c", problems);
  EXPECT_THAT(reader.integer("k", 7, 1, 10), Eq(7));
  reader.reject_unknown();
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(OptionReaderTest, ReportsASectionThatIsNoMappingOnceAndReadsItAsEmpty) {
  for (const Value& section : {plain("x"), list_of({plain("a")})}) {
    Problems problems;
    OptionReader reader(section, "collectors.c", problems);
    EXPECT_THAT(reader.integer("k", 7, 1, 10), Eq(7));
    reader.reject_unknown();
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_THAT(problems[0].message,
                testing::StartsWith("collectors.c: expected a mapping of options, found "));
  }
}

TEST_F(OptionReaderTest, ReadsBooleans) {
  OptionReader& reader = read({{"on", plain("true")}, {"off", plain("false")}});
  EXPECT_TRUE(reader.boolean("on", false));
  EXPECT_FALSE(reader.boolean("off", true));
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, RejectsWhatIsNotTrueOrFalse) {
  OptionReader& reader = read({{"a", plain("yes")},
                               {"b", plain("True")},
                               {"c", plain("1")},
                               {"d", in_quotation_marks("true")},
                               {"e", {}},
                               {"f", list_of({plain("true")})},
                               {"g", section_of({})}});
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g"}) {
    EXPECT_TRUE(reader.boolean(key, true)) << key;
  }
  EXPECT_THAT(reported(),
              ElementsAre("f:1:20: c.a: expected true or false, found \"yes\"",
                          "f:2:20: c.b: expected true or false, found \"True\"",
                          "f:3:20: c.c: expected true or false, found \"1\"",
                          "f:4:20: c.d: expected true or false, found the quoted text \"true\"",
                          "f:5:20: c.e: expected true or false, found nothing",
                          "f:6:20: c.f: expected true or false, found a list",
                          "f:7:20: c.g: expected true or false, found a mapping"));
}

TEST_F(OptionReaderTest, ReadsIntegersInDecimal) {
  OptionReader& reader = read({{"a", plain("-5")},
                               {"b", plain("010")},
                               {"c", plain("9223372036854775807")},
                               {"d", plain("-9223372036854775808")}});
  EXPECT_THAT(reader.integer("a", 0, kLeast, kMost), Eq(-5));
  EXPECT_THAT(reader.integer("b", 0, kLeast, kMost), Eq(10));
  EXPECT_THAT(reader.integer("c", 0, kLeast, kMost), Eq(kMost));
  EXPECT_THAT(reader.integer("d", 0, kLeast, kMost), Eq(kLeast));
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, AcceptsTheBoundsOfAnIntegerAndNothingBeyond) {
  OptionReader& reader =
      read({{"a", plain("1")}, {"b", plain("10")}, {"c", plain("0")}, {"d", plain("11")}});
  EXPECT_THAT(reader.integer("a", 5, 1, 10), Eq(1));
  EXPECT_THAT(reader.integer("b", 5, 1, 10), Eq(10));
  EXPECT_THAT(reader.integer("c", 5, 1, 10), Eq(5));
  EXPECT_THAT(reader.integer("d", 5, 1, 10), Eq(5));
  EXPECT_THAT(reported(),
              ElementsAre("f:3:20: c.c: expected a whole number between 1 and 10, found \"0\"",
                          "f:4:20: c.d: expected a whole number between 1 and 10, found \"11\""));
}

TEST_F(OptionReaderTest, RejectsWhatIsNoInteger) {
  for (const Value& value :
       {plain("many"), plain(""), plain("5 "), plain(" 5"), plain("+5"), plain("5.0"), plain("0x5"),
        plain("0o5"), plain("5e0"), plain("1_0"), plain("99999999999999999999"), plain("٣"),
        in_quotation_marks("5"), Value{}, list_of({plain("5")}), section_of({})}) {
    Problems problems;
    const Value section = section_of({{"k", value}});
    OptionReader reader(section, "c", problems);
    EXPECT_THAT(reader.integer("k", 7, 1, 10), Eq(7)) << testing::PrintToString(value.data.index());
    EXPECT_THAT(problems, SizeIs(1));
  }
}

TEST_F(OptionReaderTest, ReadsNumbers) {
  OptionReader& reader =
      read({{"a", plain("0.25")}, {"b", plain("1")}, {"c", plain("-1e-3")}, {"d", plain("1.5e3")}});
  EXPECT_THAT(reader.number("a", 0, -10, 10), Eq(0.25));
  EXPECT_THAT(reader.number("b", 0, -10, 10), Eq(1.0));
  EXPECT_THAT(reader.number("c", 0, -10, 10), Eq(-0.001));
  EXPECT_THAT(reader.number("d", 0, 0, 1500), Eq(1500.0));
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, RejectsWhatIsNoFiniteNumberWithinTheBounds) {
  for (const std::string_view text : {"nan", "inf", "-inf", ".inf", ".nan", "infinity", "1e999",
                                      "1,5", "0x1p3", "1.0.0", "", "1.01", "-0.01"}) {
    Problems problems;
    const Value section = section_of({{"k", plain(std::string(text))}});
    OptionReader reader(section, "c", problems);
    EXPECT_THAT(reader.number("k", 0.5, 0, 1), Eq(0.5)) << text;
    ASSERT_THAT(problems, SizeIs(1)) << text;
    EXPECT_THAT(problems[0].message,
                Eq("c.k: expected a number between 0 and 1, found \"" + std::string(text) + "\""));
  }
}

TEST_F(OptionReaderTest, RejectsInfiniteNumbersWithoutBounds) {
  const double infinity = std::numeric_limits<double>::infinity();
  OptionReader& reader = read({{"a", plain("inf")}, {"b", plain("-inf")}, {"c", plain("nan")}});
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_THAT(reader.number(key, 0.5, -infinity, infinity), Eq(0.5)) << key;
  }
  EXPECT_THAT(reported(), SizeIs(3));
}

TEST_F(OptionReaderTest, ReadsAnyScalarAsText) {
  OptionReader& reader =
      read({{"a", plain("x")}, {"b", in_quotation_marks("")}, {"c", plain("15")}});
  EXPECT_THAT(reader.text("a", "fallback"), Eq("x"));
  EXPECT_THAT(reader.text("b", "fallback"), Eq(""));
  EXPECT_THAT(reader.text("c", "fallback"), Eq("15"));
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, RejectsWhatIsNoText) {
  OptionReader& reader = read({{"a", {}}, {"b", list_of({})}, {"c", section_of({})}});
  for (const char* key : {"a", "b", "c"}) EXPECT_THAT(reader.text(key, "x"), Eq("x")) << key;
  EXPECT_THAT(reported(), ElementsAre("f:1:20: c.a: expected a text, found nothing",
                                      "f:2:20: c.b: expected a text, found a list",
                                      "f:3:20: c.c: expected a text, found a mapping"));
}

TEST_F(OptionReaderTest, ReadsDurationsWithinTheBounds) {
  OptionReader& reader =
      read({{"a", plain("1s")}, {"b", plain("1m")}, {"c", in_quotation_marks("2s")}});
  for (const auto& [key, expected] : {std::pair{"a", milliseconds{1'000}},
                                      {"b", milliseconds{60'000}},
                                      {"c", milliseconds{2'000}}}) {
    EXPECT_THAT(reader.duration(key, {}, milliseconds{1'000}, milliseconds{60'000}), Eq(expected));
  }
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, RejectsWrongDurations) {
  OptionReader& reader = read({{"a", plain("15")},
                               {"b", {}},
                               {"c", list_of({})},
                               {"d", plain("999ms")},
                               {"e", plain("1m1ms")}});
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    EXPECT_THAT(reader.duration(key, milliseconds{7}, milliseconds{1'000}, milliseconds{60'000}),
                Eq(milliseconds{7}))
        << key;
  }
  EXPECT_THAT(reported(),
              ElementsAre("f:1:20: c.a: expected a duration such as 15s, found \"15\"",
                          "f:2:20: c.b: expected a duration such as 15s, found nothing",
                          "f:3:20: c.c: expected a duration such as 15s, found a list",
                          "f:4:20: c.d: expected a duration between 1s and 1m, found \"999ms\"",
                          "f:5:20: c.e: expected a duration between 1s and 1m, found \"1m1ms\""));
}

TEST_F(OptionReaderTest, ReadsLists) {
  OptionReader& reader =
      read({{"a", list_of({plain("x"), in_quotation_marks("y"), plain("1")})}, {"b", list_of({})}});
  EXPECT_THAT(reader.list("a", {"z"}), ElementsAre("x", "y", "1"));
  EXPECT_THAT(reader.list("b", {"z"}), IsEmpty());
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, RejectsWhatIsNoList) {
  OptionReader& reader = read({{"a", plain("x")}, {"b", {}}, {"c", section_of({})}});
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_THAT(reader.list(key, {"z"}), ElementsAre("z")) << key;
  }
  EXPECT_THAT(reported(),
              ElementsAre("f:1:20: c.a: expected a list such as [a, b], found \"x\"",
                          "f:2:20: c.b: expected a list such as [a, b], found nothing",
                          "f:3:20: c.c: expected a list such as [a, b], found a mapping"));
}

TEST_F(OptionReaderTest, LeavesOutItemsThatAreNoText) {
  OptionReader& reader = read({{"some", list_of({{}, plain("x"), list_of({}), plain("y")})},
                               {"all", list_of({section_of({})})}});
  EXPECT_THAT(reader.list("some", {"z"}), ElementsAre("x", "y"));
  EXPECT_THAT(reader.list("all", {"z"}), ElementsAre("z"));
  EXPECT_THAT(reported(), ElementsAre("f:1:21: c.some: item 1: expected a text, found nothing",
                                      "f:1:23: c.some: item 3: expected a text, found a list",
                                      "f:2:21: c.all: item 1: expected a text, found a mapping"));
}

TEST_F(OptionReaderTest, GivesSectionsAsTheyStand) {
  OptionReader& reader = read({{"map", section_of({{"x", plain("1")}})}, {"text", plain("y")}});
  EXPECT_THAT(std::get<Map>(reader.section("map").data), SizeIs(1));
  EXPECT_THAT(std::get<Scalar>(reader.section("text").data).text, Eq("y"));
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, GivesTheEntriesOfAMapping) {
  OptionReader& reader = read({{"map", section_of({{"x", plain("1")}, {"y", {}}})}, {"null", {}}});
  const Map& entries = reader.entries("map");
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_THAT(entries[0].key, Eq("x"));
  EXPECT_THAT(entries[1].key, Eq("y"));
  EXPECT_THAT(reader.entries("null"), IsEmpty());
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_F(OptionReaderTest, ReportsEntriesThatAreNoMapping) {
  OptionReader& reader = read({{"k", list_of({})}});
  EXPECT_THAT(reader.entries("k"), IsEmpty());
  EXPECT_THAT(reported(), ElementsAre("f:1:20: c.k: expected a mapping, found a list"));
}

TEST_F(OptionReaderTest, RejectsAtThePlaceOfTheValue) {
  OptionReader& reader = read({{"k", plain("x")}});
  reader.reject("k", "is wrong");
  reader.reject("absent", "is missing");
  EXPECT_THAT(reported(), ElementsAre("f:1:20: c.k: is wrong", "f:1:1: c.absent: is missing"));
}

TEST_F(OptionReaderTest, RejectsItemsByTheirIndexInTheListThatItReturned) {
  OptionReader& reader = read({{"k", list_of({plain("a"), {}, plain("b")})}});
  reader.reject_item("k", 0, "is wrong");
  reader.reject_item("k", 1, "is wrong");
  EXPECT_THAT(reported(),
              ElementsAre("f:1:21: c.k: item 1: is wrong", "f:1:23: c.k: item 3: is wrong"));
}

TEST_F(OptionReaderTest, RejectsItemsThatAreNotInTheFileAtTheNearestPlace) {
  OptionReader& reader = read({{"k", list_of({plain("a")})}, {"text", plain("x")}});
  reader.reject_item("k", 1, "is wrong");
  reader.reject_item("text", 0, "is wrong");
  reader.reject_item("absent", 0, "is wrong");
  EXPECT_THAT(reported(),
              ElementsAre("f:1:20: c.k: item 2: is wrong", "f:2:20: c.text: item 1: is wrong",
                          "f:1:1: c.absent: item 1: is wrong"));
}

TEST_F(OptionReaderTest, ReportsKeysThatNobodyAskedFor) {
  OptionReader& reader = read({{"known", plain("1")}, {"stranger", plain("2")}, {"", {}}});
  reader.integer("known", 0, 0, 9);
  reader.reject_unknown();
  EXPECT_THAT(reported(),
              ElementsAre("f:2:3: c: unknown key \"stranger\"", "f:3:3: c: unknown key \"\""));
}

TEST_F(OptionReaderTest, TakesEveryGetterAsAskingForTheKey) {
  OptionReader& reader = read({{"a", plain("true")},
                               {"b", plain("1")},
                               {"c", plain("1")},
                               {"d", plain("x")},
                               {"e", plain("1s")},
                               {"f", list_of({})},
                               {"g", {}},
                               {"h", {}},
                               {"never_asked", {}}});
  reader.boolean("a", true);
  reader.integer("b", 0, 0, 9);
  reader.number("c", 0, 0, 9);
  reader.text("d", "");
  reader.duration("e", {}, {}, milliseconds{9'000});
  reader.list("f", {});
  reader.section("g");
  reader.entries("h");
  reader.reject_unknown();
  EXPECT_THAT(reported(), ElementsAre("f:9:3: c: unknown key \"never_asked\""));
}

TEST_F(OptionReaderTest, SuggestsTheNearestKnownKey) {
  struct Case {
    std::string_view written;
    std::string_view meant;  ///< empty: nothing is near
  };
  const std::vector<Case> cases = {
      {"intervall", "interval"},
      {"inteval", "interval"},
      {"intreval", "interval"},
      {"Interval", "interval"},
      {"intrvl", "interval"},
      {"enable", "enabled"},
      {"intr", ""},
      {"x", ""},
      {"ab", ""},
      {"", ""},
      {"limits", "limit"},
      {"intervalxyz", ""},
  };
  for (const auto& [written, meant] : cases) {
    Problems problems;
    const Value section = section_of({{std::string(written), plain("1")}});
    OptionReader reader(section, "", problems);
    for (const char* known : {"enabled", "interval", "limit", "ox"}) reader.text(known, "");
    reader.reject_unknown();
    ASSERT_THAT(problems, SizeIs(1)) << written;
    std::string expected = "unknown key \"" + std::string(written) + "\"";
    if (!meant.empty()) expected += "; did you mean \"" + std::string(meant) + "\"?";
    EXPECT_THAT(problems[0].message, Eq(expected));
  }
}

TEST_F(OptionReaderTest, KeepsMessagesShortAndPrintableWhateverTheFileHolds) {
  const std::string hostile = "\x1B[2J\n\"\\\xFF" + std::string(100'000, 'x');
  const Value section = section_of({{"k", plain(hostile)}, {hostile, {}}});
  Problems problems;
  OptionReader reader(section, "collectors." + hostile, problems);
  reader.integer("k", 0, 0, 9);
  reader.reject_unknown();
  ASSERT_THAT(problems, SizeIs(2));
  for (const Problem& problem : problems) {
    EXPECT_LT(problem.message.size(), 400U);
    EXPECT_THAT(problem.message, testing::Each(testing::AllOf(testing::Ge(' '), testing::Le('~'))));
  }
  EXPECT_THAT(problems[0].message, testing::HasSubstr(R"(found "\x1b[2J\n\"\\\xffxxx)"));
}

}  // namespace
}  // namespace timewait::config
