#include <zlib.h>

#include <cstdlib>
#include <limits>

#include "daemon/gzip.h"
#include "daemon/log.h"
#include "daemon/process_metrics.h"
#include "daemon/schedule.h"
#include "daemon/serializers.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

MetricFamilies one_family(prometheus::MetricType type, const std::string& name, double value,
                          const std::string& help = "Help.") {
  prometheus::ClientMetric metric;
  metric.label.push_back({"label", "a\\b\"c\nd"});
  metric.counter.value = value;
  metric.gauge.value = value;
  return {{name, help, type, {metric}}};
}

TEST(TextSerializer, EscapesLabelsAndHelp) {
  EXPECT_EQ(TextSerializer().Serialize(
                one_family(prometheus::MetricType::Gauge, "g", 1, "A \"q\" \\ and\na line.")),
            "# HELP g A \"q\" \\\\ and\\na line.\n# TYPE g gauge\n"
            "g{label=\"a\\\\b\\\"c\\nd\"} 1\n");
}

TEST(TextSerializer, KeepsTheCountersSuffixInItsName) {
  EXPECT_THAT(TextSerializer().Serialize(one_family(prometheus::MetricType::Counter, "c_total", 2)),
              HasSubstr("# TYPE c_total counter\nc_total{"));
}

TEST(OpenMetricsSerializer, NamesACounterWithoutItsSuffix) {
  EXPECT_EQ(OpenMetricsSerializer().Serialize(
                one_family(prometheus::MetricType::Counter, "c_total", 2, "A \"q\".")),
            "# HELP c A \\\"q\\\".\n# TYPE c counter\nc_total{label=\"a\\\\b\\\"c\\nd\"} 2\n");
}

TEST(RenderValue, ReadsBackAsTheSameNumber) {
  EXPECT_EQ(render_value(0), "0");
  EXPECT_EQ(render_value(28232), "28232");
  EXPECT_EQ(render_value(-262144), "-262144");
  for (const double value : {0.1 + 0.2, 1.0 / 3, 1795341596.658363, 5e-324, 1.7976931348623157e308,
                             9007199254740992.0}) {
    EXPECT_EQ(std::strtod(render_value(value).c_str(), nullptr), value) << render_value(value);
  }
  EXPECT_EQ(render_value(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(render_value(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(render_value(-std::numeric_limits<double>::infinity()), "-Inf");
}

std::string inflate_gzip(const std::string& compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string plain(1 << 20, '\0');
  std::string input = compressed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

TEST(CompressGzip, InflatesToTheSame) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "series{n=\"" + std::to_string(i) + "\"} 1\n";
  EXPECT_EQ(inflate_gzip(compress_gzip(text)), text);
  EXPECT_EQ(inflate_gzip(compress_gzip("")), "");
}

TEST(RenderLogLine, QuotesOnlyWhereItMust) {
  EXPECT_EQ(render_log_line(LogFormat::kLogfmt, "T", LogLevel::kWarn, "collector failed",
                            {{"collector", "netstat"}, {"err", "a \"b\"\nc"}, {"none", ""}}),
            "ts=T level=warn msg=\"collector failed\" collector=netstat err=\"a \\\"b\\\"\\nc\" "
            "none=\"\"\n");
}

TEST(RenderLogLine, WritesOneJsonObjectALine) {
  EXPECT_EQ(
      render_log_line(LogFormat::kJson, "T", LogLevel::kInfo, "m", {{"k", "a\\b\"c\x01\xff\n"}}),
      "{\"ts\":\"T\",\"level\":\"info\",\"msg\":\"m\",\"k\":\"a\\\\b\\\"c\\u0001\\u00ff\\n\"}\n");
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  std::vector<std::string> lines;
  const Log log(LogLevel::kWarn, LogFormat::kLogfmt,
                [&](std::string_view line) { lines.emplace_back(line); });
  log.info("quiet");
  log.warn("loud");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0],
              ::testing::MatchesRegex("ts=[0-9-]+T[0-9:]+\\.[0-9]{3}Z level=warn msg=loud\n"));
}

TEST(ParseLogLevel, KnowsFourLevels) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::kDebug);
  EXPECT_EQ(parse_log_level("error"), LogLevel::kError);
  EXPECT_EQ(parse_log_level("Info"), std::nullopt);
  EXPECT_EQ(parse_log_format("json"), LogFormat::kJson);
  EXPECT_EQ(parse_log_format(""), std::nullopt);
}

TEST(Schedule, StaysOnItsGrid) {
  const SteadyTime start{1h};
  Schedule schedule(start, 15s);
  EXPECT_TRUE(schedule.is_due(start));
  EXPECT_EQ(schedule.advance(start + 1s), 0U);
  EXPECT_EQ(schedule.next(), start + 15s);
  EXPECT_FALSE(schedule.is_due(start + 14s));
  EXPECT_EQ(schedule.advance(start + 15s), 0U);
  EXPECT_EQ(schedule.next(), start + 30s);
  EXPECT_EQ(schedule.advance(start + 60s), 2U) << "those of 45 s and 60 s";
  EXPECT_EQ(schedule.next(), start + 75s);
  EXPECT_EQ(schedule.advance(start + 61s), 0U) << "a clock that stands before the deadline";
}

TEST(ParseProcessStat, FindsTheFieldsBehindAnyName) {
  const std::string fields =
      " S 1 1 1 0 -1 4194560 1100 0 0 0 7 5 0 0 20 0 3 0 123456 25000000 1800 18446744073709551615";
  for (const char* name : {"(x)", "(a b)", "(a) S 1 (b)"}) {
    const auto stat = parse_process_stat("42 " + std::string(name) + fields);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->cpu_ticks, 12U);
    EXPECT_EQ(stat->start_ticks, 123456U);
    EXPECT_EQ(stat->virtual_bytes, 25000000U);
    EXPECT_EQ(stat->resident_pages, 1800U);
  }
  for (const std::string& wrong :
       {std::string(), std::string("42 (x"), "42 (x)" + fields.substr(0, 40),
        std::string("42 (x) S a b c d e f g h i j k l m n o p q r s t u v")}) {
    EXPECT_FALSE(parse_process_stat(wrong)) << wrong;
  }
}

TEST(ParseBootTime, FindsItsLine) {
  EXPECT_EQ(parse_boot_time("cpu 1 2\nbtime 1700000000\nprocesses 5\n"), 1700000000U);
  EXPECT_EQ(parse_boot_time("cpu 1 2\n"), std::nullopt);
  EXPECT_EQ(parse_boot_time("btime x\n"), std::nullopt);
}

TEST(EmitProcessMetrics, TellsOfThisProcess) {
  MetricBuilder metrics;
  emit_process_metrics(metrics);
  const MetricFamilies families = metrics.take();
  EXPECT_EQ(families.size(), process_metrics().size()) << "one of the process_* metrics is missing";
}

}  // namespace
}  // namespace timewait
