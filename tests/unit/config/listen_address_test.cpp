#include "config/listen_address.h"

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait::config {

/// For GoogleTest's messages.
std::ostream& operator<<(std::ostream& out, const ListenAddress& address) {
  return out << to_string(address);
}

namespace {

using namespace std::string_view_literals;
using testing::AllOf;
using testing::Eq;
using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto address = parse_listen_address(text);
  return address ? "(no error)" : address.error();
}

TEST(ParseListenAddress, ReadsEveryForm) {
  struct Case {
    std::string_view text;
    ListenAddress address;
  };
  const std::vector<Case> cases = {
      {":10060", ListenAddress::any(10060)},
      {":0", ListenAddress::any(0)},
      {":65535", ListenAddress::any(65535)},
      {"127.0.0.1:0", {"127.0.0.1", 0, {}}},
      {"0.0.0.0:80", {"0.0.0.0", 80, {}}},
      {"[::1]:10060", {"::1", 10060, {}}},
      {"[::]:10060", {"::", 10060, {}}},
      {"[2001:db8::1]:443", {"2001:db8::1", 443, {}}},
      {"[::ffff:192.0.2.1]:1", {"::ffff:192.0.2.1", 1, {}}},
      {"unix:/run/x.sock", {{}, 0, "/run/x.sock"}},
      {"unix:/run/a:b c.sock", {{}, 0, "/run/a:b c.sock"}},
  };
  for (const auto& [text, expected] : cases) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address.has_value()) << text << ": " << address.error();
    EXPECT_THAT(*address, Eq(expected)) << text;
    EXPECT_THAT(to_string(*address), Eq(text));
  }
}

TEST(ParseListenAddress, BringsSpellingsOfOneAddressTogether) {
  for (const std::string_view text :
       {"[::1]:1", "[0:0:0:0:0:0:0:1]:1", "[0::0001]:1", "[::1]:001"}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address.has_value()) << text << ": " << address.error();
    EXPECT_THAT(to_string(*address), Eq("[::1]:1")) << text;
  }
}

TEST(ParseListenAddress, RejectsATextWithoutPort) {
  for (const std::string_view text :
       {"", "10060", "127.0.0.1", "[::1]", "localhost", "/run/x.sock"}) {
    EXPECT_THAT(error_of(text), HasSubstr("expected an address such as :10060")) << text;
  }
}

TEST(ParseListenAddress, RejectsWhatIsNoPort) {
  for (const std::string_view text :
       {":", ":65536", ":-1", ":+1", ": 1", ":1 ", ":0x10", ":http",
        "127.0.0.1:", "[::1]:", "::", ":99999999999999999999", ":1\n"}) {
    EXPECT_THAT(error_of(text), HasSubstr("expected a port between 0 and 65535")) << text;
  }
}

TEST(ParseListenAddress, RejectsNamesAndMalformedIpv4Addresses) {
  for (const std::string_view text :
       {"localhost:1"sv, "*:1"sv, "127.0.0:1"sv, "127.0.0.256:1"sv, "127.0.0.1.1:1"sv, "127.1:1"sv,
        "1:1"sv, "0x7f.0.0.1:1"sv, " 127.0.0.1:1"sv, "127.0.0.1\0:1"sv, "http//x:1"sv}) {
    EXPECT_THAT(error_of(text), HasSubstr("expected a numeric address")) << text;
  }
}

TEST(ParseListenAddress, RejectsMalformedIpv6Addresses) {
  for (const std::string_view text :
       {"[]:1"sv, "[:]:1"sv, "[127.0.0.1]:1"sv, "[::1%eth0]:1"sv, "[::1\0]:1"sv, "[[::1]]:1"sv,
        "[1:2:3:4:5:6:7:8:9]:1"sv, "[fffff::]:1"sv}) {
    EXPECT_THAT(error_of(text), HasSubstr("expected an IPv6 address in the brackets")) << text;
  }
}

TEST(ParseListenAddress, AsksForBracketsAroundIpv6) {
  for (const std::string_view text :
       {"::1:10060", ":::1", "2001:db8::1:1", "[::1:1", "http://x:1"}) {
    EXPECT_THAT(error_of(text), HasSubstr("in brackets such as [::1]")) << text;
  }
}

TEST(ParseListenAddress, RejectsWhatIsNoSocketPath) {
  for (const std::string_view text :
       {"unix:"sv, "unix:x.sock"sv, "unix:@abstract"sv, "unix:/"sv, "unix:/run/"sv,
        "unix:/run/\0x"sv, "unix:/run/x\n"sv, "unix: /run/x"sv}) {
    EXPECT_THAT(error_of(text), HasSubstr("expected the absolute path of a socket")) << text;
  }
}

TEST(ParseListenAddress, AcceptsASocketPathOf107BytesAndNoMore) {
  const std::string longest = "unix:/" + std::string(106, 'x');
  EXPECT_THAT(error_of(longest), Eq("(no error)"));
  EXPECT_THAT(error_of(longest + "x"), AllOf(HasSubstr("at most 107 bytes"), HasSubstr("has 108")));
}

TEST(ParseListenAddress, QuotesHostileTextShortAndPrintable) {
  EXPECT_THAT(error_of("\x1B[31m\xFF:1"), HasSubstr(R"(found "\x1b[31m\xff")"));
  EXPECT_LT(error_of(std::string(100'000, '\x01')).size(), 500U);
  EXPECT_LT(error_of(std::string(100'000, ':')).size(), 500U);
}

}  // namespace
}  // namespace timewait::config
