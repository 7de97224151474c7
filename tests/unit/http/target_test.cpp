#include "daemon/http/target.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct GoodCase {
  std::string_view text;
  std::string path;
  std::vector<QueryParameter> query;
};

const std::vector<GoodCase> kGood = {
    {"/", "/", {}},
    {"/metrics", "/metrics", {}},
    {"/metrics?", "/metrics", {}},
    {"/metrics?&&", "/metrics", {}},
    {"//metrics", "//metrics", {}},
    {"/metrics/", "/metrics/", {}},
    {"/../metrics", "/../metrics", {}},
    {"/a%2Fb%20c+d", "/a/b c+d", {}},
    {"/%00", std::string("/\0", 2), {}},
    {"/\xff", "/\xff", {}},
    {"/m?collect[]=a", "/m", {{"collect[]", "a"}}},
    {"/m?collect%5B%5D=a", "/m", {{"collect[]", "a"}}},
    {"/m?collect%5b%5d=%61", "/m", {{"collect[]", "a"}}},
    {"/m?a=1&b=2&a=3", "/m", {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
    {"/m?a", "/m", {{"a", ""}}},
    {"/m?a=", "/m", {{"a", ""}}},
    {"/m?=b", "/m", {{"", "b"}}},
    {"/m?a=b=c", "/m", {{"a", "b=c"}}},
    {"/m?a=b?c", "/m", {{"a", "b?c"}}},
    {"/m?a=b+c%2B", "/m", {{"a", "b c+"}}},
    {"/m?a%3Db%26c=d", "/m", {{"a=b&c", "d"}}},
    {"http://localhost:10060/metrics?a=b", "/metrics", {{"a", "b"}}},
    {"HTTPS://[::1]/metrics", "/metrics", {}},
    {"http://host", "/", {}},
    {"http://host?a=b", "/", {{"a", "b"}}},
};

TEST(Target, IsSplitAndDecoded) {
  for (const auto& [text, path, query] : kGood) {
    const auto target = parse_target(text);
    ASSERT_TRUE(target) << text << ": " << target.error();
    EXPECT_EQ(target->path, path) << text;
    EXPECT_EQ(target->query, query) << text;
  }
}

constexpr auto kBad = std::to_array<std::string_view>({
    "",
    "*",
    "metrics",
    "?a=b",
    "localhost:10060",
    "ftp://host/metrics",
    "http:/metrics",
    "http://",
    "http:///metrics",
    "http://?a",
    "%2Fmetrics",
    "/%",
    "/%4",
    "/%zz",
    "/%4g",
    "/% 41",
    "/%-1",
    "/%+1",
    "/%0x",
    "/m?a=%",
    "/m?%=a",
    "/m?a=b&c=%e",
    "/m#fragment",
    "/m?a=b#c",
});

TEST(Target, IsRefusedWithoutRepeatingIt) {
  for (const std::string_view text : kBad) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_FALSE(target.error().empty()) << text;
    EXPECT_EQ(target.error().find('%'), std::string::npos) << text;
  }
}

TEST(Target, GivesEveryValueOfAName) {
  const auto target =
      parse_target("/metrics?collect[]=b&x=y&collect%5B%5D=a&collect[]=b&collect=c");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->values("collect[]"), ElementsAre("b", "a", "b"));
  EXPECT_THAT(target->values("exclude[]"), IsEmpty());
}

}  // namespace
}  // namespace timewait
