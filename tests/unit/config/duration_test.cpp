#include "config/duration.h"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait::config {
namespace {

using std::chrono::milliseconds;
using testing::Eq;

struct Form {
  std::string_view text;
  milliseconds duration;
};

constexpr auto kCanonicalForms = std::to_array<Form>({
    {"0s", milliseconds{0}},
    {"1ms", milliseconds{1}},
    {"999ms", milliseconds{999}},
    {"15s", milliseconds{15'000}},
    {"1s500ms", milliseconds{1'500}},
    {"1m30s", milliseconds{90'000}},
    {"1h", milliseconds{3'600'000}},
    {"1d", milliseconds{86'400'000}},
    {"1d2h3m4s5ms", milliseconds{93'784'005}},
    {"106751991167d7h12m55s807ms", milliseconds::max()},
});

TEST(ParseDuration, ReadsTheCanonicalForms) {
  for (const auto& [text, duration] : kCanonicalForms) {
    EXPECT_THAT(parse_duration(text), Eq(std::optional(duration))) << text;
  }
}

TEST(ParseDuration, ReadsOtherSpellingsOfTheSameDuration) {
  const std::vector<Form> forms = {
      {"90s", milliseconds{90'000}},      {"1500ms", milliseconds{1'500}},
      {"0d0h0m0s0ms", milliseconds{0}},   {"010s", milliseconds{10'000}},
      {"1h5ms", milliseconds{3'600'005}}, {"9223372036854775807ms", milliseconds::max()},
  };
  for (const auto& [text, duration] : forms) {
    EXPECT_THAT(parse_duration(text), Eq(std::optional(duration))) << text;
  }
}

TEST(ParseDuration, RejectsANumberWithoutUnit) {
  for (const std::string_view text : {"0", "15", "1m30", "1s5"}) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << text;
  }
}

TEST(ParseDuration, RejectsAUnitWithoutNumber) {
  for (const std::string_view text : {"s", "ms", "m30s", "1hm"}) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << text;
  }
}

TEST(ParseDuration, RejectsUnknownUnits) {
  for (const std::string_view text :
       {"1S", "1w", "1y", "1us", "1ns", "1min", "1sec", "1M", "1 s"}) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << text;
  }
}

TEST(ParseDuration, RejectsUnitsThatRepeatOrRise) {
  for (const std::string_view text : {"1s1s", "1s1m", "1ms1s", "5m1h", "1m1d"}) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << text;
  }
}

TEST(ParseDuration, RejectsSignsFractionsAndSpaces) {
  for (const std::string_view text :
       {"-1s", "+1s", "1.5s", "1,5s", "1e3s", "0x1s", " 1s", "1s ", "1m 30s", "1s\n", "", " "}) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << '"' << text << '"';
  }
}

TEST(ParseDuration, RejectsWhatOverflows) {
  for (const std::string_view text : {
           "9223372036854775808ms",
           "9223372036854776s",
           "106751991168d",
           "106751991167d7h12m55s808ms",
           "18446744073709551615d",
           "18446744073709551616ms",
           "99999999999999999999999999999999999999999ms",
       }) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << text;
  }
}

TEST(ParseDuration, RejectsBytesThatAreNoText) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"\0"sv, "1\0s"sv, "1s\0"sv, "\xFF"sv, "1\xC2\xA0s"sv}) {
    EXPECT_THAT(parse_duration(text), Eq(std::nullopt)) << testing::PrintToString(text);
  }
}

TEST(DurationToString, WritesTheCanonicalForm) {
  for (const auto& [text, duration] : kCanonicalForms) {
    EXPECT_THAT(to_string(duration), Eq(text));
  }
}

TEST(DurationToString, WritesNegativeDurationsWithASign) {
  EXPECT_THAT(to_string(milliseconds{-90'000}), Eq("-1m30s"));
  EXPECT_THAT(to_string(milliseconds::min()), Eq("-106751991167d7h12m55s808ms"));
}

}  // namespace
}  // namespace timewait::config
