#include "daemon/http/negotiation.h"

#include <array>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace timewait {
namespace {

using namespace std::string_view_literals;

constexpr auto kText = std::to_array<std::string_view>({
    "",
    "*/*",
    "text/*",
    "application/*",
    "text/plain;version=0.0.4",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "image/png",
    "*/*;q=0",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "application/openmetrics-text;q=0",
    "application/openmetrics-text;version=2.0.0",
    "application/openmetrics-text;version=2.0.0, */*;q=0.1",
    "application/openmetrics-text;q=0.4, text/plain;q=0.5",
    "application/openmetrics-text;q=0.4, */*;q=0.5",
    "application/openmetrics-text;q=0.4, text/*",
    "application/openmetrics-text;q=0.4, text/plain;q=0.1, text/plain;version=0.0.4;q=0.9",
    "application/openmetrics-text-like",
    "xapplication/openmetrics-text",
});

TEST(Negotiation, AnswersInText) {
  for (const std::string_view accept : kText) {
    EXPECT_EQ(negotiate_format(accept), ExpositionFormat::kText) << accept;
  }
}

constexpr auto kOpenMetrics = std::to_array<std::string_view>({
    // What Prometheus 2.42 and 3.14 send.
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "application/openmetrics-text",
    "application/openmetrics-text;version=0.0.1",
    "application/openmetrics-text; version=\"1.0.0\"",
    "application/openmetrics-text ; version = 1.0.0 ; charset=utf-8 ; q = 1.000",
    "APPLICATION/OpenMetrics-Text;VERSION=1.0.0;Q=0.5",
    "text/plain, application/openmetrics-text",
    "text/plain;q=0.5, application/openmetrics-text;q=0.5",
    "application/openmetrics-text;q=0.001",
    "application/openmetrics-text;q=0.33333",
    // The closer match decides on text, however low its quality.
    "application/openmetrics-text;q=0.2, text/plain;version=0.0.4;q=0.1, text/*;q=0.9, */*",
    "application/openmetrics-text;q=0.2, text/plain;q=0, */*",
    // This is not a text format that is offered.
    "text/plain;version=1.0.0, application/openmetrics-text;q=0.5",
    "application/openmetrics-text;version=2.0.0, application/openmetrics-text;version=1.0.0;q=0.1",
});

TEST(Negotiation, AnswersInOpenMetricsIfAskedByName) {
  for (const std::string_view accept : kOpenMetrics) {
    EXPECT_EQ(negotiate_format(accept), ExpositionFormat::kOpenMetrics) << accept;
  }
}

struct AcceptCase {
  std::string_view accept;
  ExpositionFormat format;
};

constexpr auto kMalformed = std::to_array<AcceptCase>({
    {",", ExpositionFormat::kText},
    {";", ExpositionFormat::kText},
    {";;;,,,;=;q=", ExpositionFormat::kText},
    {"q=1", ExpositionFormat::kText},
    {"application/openmetrics-text;q=", ExpositionFormat::kText},
    {"application/openmetrics-text;q", ExpositionFormat::kText},
    {"application/openmetrics-text;q=2", ExpositionFormat::kText},
    {"application/openmetrics-text;q=1.5", ExpositionFormat::kText},
    {"application/openmetrics-text;q=-1", ExpositionFormat::kText},
    {"application/openmetrics-text;q=0,5", ExpositionFormat::kText},
    {"application/openmetrics-text;q=nan", ExpositionFormat::kText},
    {"application/openmetrics-text;q=1e0", ExpositionFormat::kText},
    {"application/openmetrics-text;q=0.5.5", ExpositionFormat::kText},
    {"application/openmetrics-text;version=\"1.0.0", ExpositionFormat::kText},
    {"text/plain;x=\", application/openmetrics-text", ExpositionFormat::kText},
    {"text/plain;x=\"\\", ExpositionFormat::kText},
    {"application / openmetrics-text", ExpositionFormat::kText},
    // One bad element does not spoil the good one.
    {"text/plain;q=x, application/openmetrics-text", ExpositionFormat::kOpenMetrics},
    {",,application/openmetrics-text;;;q=1;,", ExpositionFormat::kOpenMetrics},
    {R"(text/plain;x="a,b;q=0\",";q=0.1, application/openmetrics-text;q=0.2)",
     ExpositionFormat::kOpenMetrics},
});

TEST(Negotiation, PassesOverWhatIsMalformed) {
  for (const auto& [accept, format] : kMalformed) {
    EXPECT_EQ(negotiate_format(accept), format) << accept;
  }
}

struct EncodingCase {
  std::string_view accept_encoding;
  bool gzip;
};

constexpr auto kEncodings = std::to_array<EncodingCase>({
    {"", false},
    {"gzip", true},
    {"GZip", true},
    {"x-gzip", true},
    {"gzip, deflate, br", true},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
    {"*", true},
    {"deflate, *;q=0.5", true},
    {"gzip;q=0.001", true},
    {"*;q=0, gzip", true},
    {"identity;q=0.5, gzip", true},
    {"identity;q=0, gzip;q=0.1", true},
    {"gzip;q=0", false},
    {"gzip;q=0.000", false},
    {"gzip ; Q = 0", false},
    {"gzip;q=0, *", false},
    {"*;q=0", false},
    {"identity", false},
    {"identity, gzip;q=0.5", false},
    {"identity, *;q=0.5", false},
    {"deflate, br, zstd", false},
    {"gzipped", false},
    {"not-gzip", false},
    {"gzip;q=", false},
    {"gzip;q=yes", false},
    {"\"gzip\"", false},
    {",;,", false},
});

TEST(Negotiation, CompressesIfAsked) {
  for (const auto& [accept_encoding, gzip] : kEncodings) {
    EXPECT_EQ(accepts_gzip(accept_encoding), gzip) << accept_encoding;
  }
}

TEST(Negotiation, ReadsAnyBytes) {
  constexpr auto kAlphabet = "application/openmetrics-text;version=1.0.0,gzip*q\\\" \t\0\xff"sv;
  std::mt19937 random(1);  // the same inputs every time
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto size = random() % 48; size > 0; --size) {
      text += kAlphabet[random() % kAlphabet.size()];
    }
    negotiate_format(text);
    accepts_gzip(text);
  }
}

TEST(Negotiation, NamesTheContentTypes) {
  EXPECT_EQ(content_type(ExpositionFormat::kText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(ExpositionFormat::kOpenMetrics),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace timewait
