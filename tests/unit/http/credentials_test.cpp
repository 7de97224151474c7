#include "daemon/http/credentials.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace timewait {
namespace {

struct Case {
  std::string_view field;
  std::string_view name;
  std::string_view password;
};

TEST(Credentials, AreRead) {
  const std::vector<Case> cases = {
      {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},  // RFC 7617 section 2
      {"Basic dGVzdDoxMjPCow==", "test", "123\xC2\xA3"},                 // section 2.1
      {"bAsIc YTpi", "a", "b"},
      {"Basic YTpiOmM=", "a", "b:c"},
      {"Basic Og==", "", ""},
      {"Basic OmI=", "", "b"},
      {"Basic YTo=", "a", ""},
  };
  for (const Case& each : cases) {
    const auto credentials = parse_credentials(each.field);
    ASSERT_TRUE(credentials) << each.field;
    EXPECT_EQ(credentials->name, each.name) << each.field;
    EXPECT_EQ(credentials->password, each.password) << each.field;
  }
}

TEST(Credentials, AreNotReadFromAnythingElse) {
  using namespace std::string_view_literals;
  for (const std::string_view field : {""sv,
                                       "Basic"sv,
                                       "Basic "sv,
                                       "Basic YQ=="sv,
                                       "Bearer YTpi"sv,
                                       "BasicYTpi"sv,
                                       "Basic YTp"sv,
                                       "Basic YTpi="sv,
                                       "Basic YTpi===="sv,
                                       "Basic YT=i"sv,
                                       "Basic YTp-"sv,
                                       "Basic  YTpi"sv,
                                       "Basic YTpi "sv,
                                       "Basic YTpi,"sv,
                                       "Basic YTpiAA=="sv,
                                       "Basic AGE6Yg=="sv,
                                       "Basic \0\0\0\0"sv,
                                       "Basic \xFF\xFF\xFF\xFF"sv,
                                       "Basic ===="sv,
                                       "Basic Y==="sv}) {
    EXPECT_FALSE(parse_credentials(field)) << field;
  }
}

}  // namespace
}  // namespace timewait
