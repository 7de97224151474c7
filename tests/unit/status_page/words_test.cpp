#include "daemon/status_page/words.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "daemon/status_page/html_writer.h"

namespace timewait::status_page {
namespace {

using namespace std::chrono_literals;

TEST(FormatCount, SeparatesThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'000), "1,000");
  EXPECT_EQ(format_count(28'232), "28,232");
  EXPECT_EQ(format_count(18'446'744'073'709'551'615U), "18,446,744,073,709,551,615");
}

TEST(FormatPercent, CallsOnlyTheWholeAHundred) {
  EXPECT_EQ(format_percent(0), "0 %");
  EXPECT_EQ(format_percent(0.00001), "below 0.1 %");
  EXPECT_EQ(format_percent(0.4587), "45.8 %");
  EXPECT_EQ(format_percent(0.5), "50 %");
  EXPECT_EQ(format_percent(0.99999), "99.9 %");
  EXPECT_EQ(format_percent(1), "100 %");
  EXPECT_EQ(format_percent(1.5), "100 %");
}

TEST(FormatAge, IsRougherTheLongerAgo) {
  EXPECT_EQ(format_age(0s), "just now");
  EXPECT_EQ(format_age(-3s), "just now") << "a clock that was set back";
  EXPECT_EQ(format_age(1500ms), "1 s ago");
  EXPECT_EQ(format_age(119s), "119 s ago");
  EXPECT_EQ(format_age(120s), "2 min ago");
  EXPECT_EQ(format_age(5h), "5 h ago");
  EXPECT_EQ(format_age(72h), "3 days ago");
}

TEST(FormatDuration, SaysSecondsWhereTheyAreFew) {
  EXPECT_EQ(format_duration(15s), "15 s");
  EXPECT_EQ(format_duration(500ms), "500ms");
  EXPECT_EQ(format_duration(1h), "1h");
}

TEST(FormatEndpoint, PutsIpv6InBrackets) {
  EXPECT_EQ(format_endpoint("192.0.2.1", "80"), "192.0.2.1:80");
  EXPECT_EQ(format_endpoint("2001:db8::1", "443"), "[2001:db8::1]:443");
  EXPECT_EQ(format_endpoint("192.0.2.1", ""), "192.0.2.1");
}

TEST(FormatNumberOf, KnowsThePlural) {
  EXPECT_EQ(format_number_of(1, "port"), "1 port");
  EXPECT_EQ(format_number_of(0, "port"), "0 ports");
  EXPECT_EQ(format_number_of(2'000, "port"), "2,000 ports");
}

TEST(EscapeHtml, LeavesNoMarkup) {
  EXPECT_EQ(escape_html("<a href=\"x\" id='y'>&"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
}

TEST(EscapeHtml, KeepsUtf8AndReplacesAllElse) {
  const std::string fffd = "\xef\xbf\xbd";
  for (const char* good : {"ü", "€", "\xf0\x9f\x90\xa7", "\xf4\x8f\xbf\xbf", "a\tb\nc"}) {
    EXPECT_EQ(escape_html(good), good);
  }
  EXPECT_EQ(escape_html(std::string_view("a\0b\x1b\x7f", 5)), "a" + fffd + "b" + fffd + fffd);
  EXPECT_EQ(escape_html("\xff<"), fffd + "&lt;");
  EXPECT_EQ(escape_html("\xc3"), fffd) << "cut off";
  EXPECT_EQ(escape_html("\xc3<"), fffd + "&lt;") << "what follows a broken character is not lost";
  for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80"}) {
    const std::string escaped = escape_html(bad);
    for (std::size_t i = 0; i < escaped.size(); i += fffd.size()) {
      EXPECT_EQ(escaped.substr(i, fffd.size()), fffd) << testing::PrintToString(bad);
    }
  }
}

}  // namespace
}  // namespace timewait::status_page
