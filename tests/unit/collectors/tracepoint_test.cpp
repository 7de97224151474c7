#include <fstream>
#include <iterator>

#include "collectors/parse/connect_failure.h"
#include "collectors/parse/cpu_list.h"
#include "collectors/parse/perf_records.h"
#include "collectors/parse/tracepoint_format.h"
#include "tests/support/perf_records.h"

namespace timewait::parse {
namespace {

using test::perf_record;
using test::perf_sample;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string read_fixture(const std::string& path) {
  std::ifstream stream(TIMEWAIT_SOURCE_DIR "/tests/fixtures/" + path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string read_format(const std::string& host) {
  return read_fixture(host + "/tracefs/events/sock/inet_sock_set_state/format");
}

Result<ConnectFailureLayout> layout_of(const std::string& format) {
  return parse_tracepoint_format(format).and_then(compute_connect_failure_layout);
}

TEST(ParseTracepointFormat, FindsTheFieldsOfTwoKernels) {
  const auto today = parse_tracepoint_format(read_format("linux-6.18"));
  ASSERT_TRUE(today) << today.error().text();
  EXPECT_EQ(today->id, 2287U);
  EXPECT_EQ(today->fields.size(), 15U);
  const auto layout = compute_connect_failure_layout(*today);
  ASSERT_TRUE(layout) << layout.error().text();
  EXPECT_EQ(layout->remote_port, 26U);
  EXPECT_EQ(layout->local, 40U);
  EXPECT_EQ(layout->remote, 56U);

  // Before Linux 5.6 the protocol is one byte, and what follows is not aligned.
  const auto old = layout_of(read_format("linux-4.19"));
  ASSERT_TRUE(old) << old.error().text();
  EXPECT_EQ(old->remote_port, 26U);
  EXPECT_EQ(old->local, 39U);
  EXPECT_EQ(old->remote, 55U);
}

TEST(ParseTracepointFormat, TakesTheNameFromAnyDeclaration) {
  const auto format = parse_tracepoint_format(
      "ID: 7\n"
      "\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
      "\tfield:struct sock *sk;\toffset:16;\tsize:8;\tsigned:0;\n"
      "\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n"
      "  field:u8 a[4];  offset:28;  size:4;\n"
      "\tfield:bare;\toffset:32;\tsize:1;\tsigned:1;\n"
      "print fmt: \"field:%s\", REC->field\n");
  ASSERT_TRUE(format) << format.error().text();
  std::vector<std::string> names;
  for (const TracepointField& field : format->fields) names.push_back(field.name);
  // Of a dynamic array the name stands behind the brackets; nothing that is looked for is one.
  EXPECT_THAT(names, ElementsAre("skaddr", "sk", "char", "a", "bare"));
  EXPECT_EQ(format->find("a", 4)->offset, 28U);
}

TEST(ParseTracepointFormat, SaysWhatIsWrong) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] :
       {Case{"", "expected a line with the tracepoint's ID, found none"},
        Case{"name: x\nformat:\n", "expected a line with the tracepoint's ID"},
        Case{"ID: x\n", "expected a number as ID, found \"ID: x\""},
        Case{"ID: -1\n", "expected a number as ID"},
        Case{"ID: 99999999999999999999\n", "expected a number as ID"},
        Case{"ID: 1\n\tfield:int a;\n", "expected a field with its offset and size"},
        Case{"ID: 1\n\tfield:int a;\toffset:x;\tsize:4;\n", "expected a field with its"},
        Case{"ID: 1\n\tfield:int a;\toffset:0;\tsize:-4;\n", "expected a field with its"},
        Case{"ID: 1\n\tfield:int a;\toffset:18446744073709551615;\tsize:4;\n", "a field with its"},
        Case{"ID: 1\n\tfield:int a;\toffset:0;\tsize:65537;\n", "expected a field with its"},
        Case{"ID: 1\n\tfield:int a\toffset:0\tsize:4\n", "expected a field with its offset"},
        Case{"ID: 1\n\tfield:", "expected a field with its offset and size"}}) {
    const auto format = parse_tracepoint_format(text);
    ASSERT_FALSE(format) << "taken for good: " << text;
    EXPECT_EQ(format.error().reason, ErrorReason::kMalformed);
    EXPECT_THAT(format.error().detail, HasSubstr(says)) << text;
  }
}

TEST(ComputeConnectFailureLayout, NamesTheFieldThatIsMissing) {
  const std::string format = read_format("linux-6.18");
  for (const std::string name :
       {"oldstate", "newstate", "sport", "protocol", "dport", "saddr_v6", "daddr_v6"}) {
    std::string without = format;
    without.replace(without.find(" " + name), name.size() + 1, " renamed");
    const auto layout = layout_of(without);
    ASSERT_FALSE(layout) << name;
    EXPECT_THAT(layout.error().detail, HasSubstr("expected a field " + name));
    EXPECT_THAT(layout.error().detail, HasSubstr("found none"));
  }
  std::string narrow = format;
  narrow.replace(narrow.find("offset:26;\tsize:2"), 17, "offset:26;\tsize:4");
  EXPECT_EQ(layout_of(narrow).error().detail, "expected a field dport of 2 bytes, found one of 4");
}

TEST(ParseConnectFailure, NeedsAllOfTheLayout) {
  const ConnectFailureLayout layout{26, 40, 56};
  const std::string raw(76, '\1');
  for (std::size_t size = 0; size < 72; ++size) {
    const auto failure = parse_connect_failure(layout, std::as_bytes(std::span(raw).first(size)));
    ASSERT_FALSE(failure) << size;
    EXPECT_THAT(failure.error().detail, HasSubstr(std::to_string(size) + " bytes"));
  }
  const auto failure = parse_connect_failure(layout, std::as_bytes(std::span(raw)));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->remote_port, 0x101);
  EXPECT_EQ(to_string(failure->local), "101:101:101:101:101:101:101:101");
}

struct Walk {
  Result<void> end;
  std::vector<PerfSample> samples;
};

Walk walk(const std::string& bytes) {
  Walk walk;
  walk.end = parse_perf_records(std::as_bytes(std::span(bytes)),
                                [&](const PerfSample& sample) { walk.samples.push_back(sample); });
  return walk;
}

TEST(ParsePerfRecords, GivesTheSamplesAndPassesOverTheRest) {
  const std::string bytes = perf_sample(11, 12, "raw data", 41) +
                            perf_record(PERF_RECORD_LOST, std::string(16, '\0')) +
                            perf_record(PERF_RECORD_THROTTLE, "") + perf_record(0xffffffff, "x") +
                            perf_sample(13, 14, "");
  const Walk found = walk(bytes);
  ASSERT_TRUE(found.end) << found.end.error().text();
  ASSERT_EQ(found.samples.size(), 2U);
  EXPECT_EQ(found.samples[0].process, 11U);
  EXPECT_EQ(found.samples[0].thread, 12U);
  EXPECT_EQ(found.samples[0].firing, 41U);
  EXPECT_EQ(found.samples[0].raw.size(), 8U);
  EXPECT_EQ(found.samples[1].thread, 14U);
  EXPECT_TRUE(found.samples[1].raw.empty());
  EXPECT_TRUE(walk("").end);
}

TEST(ParsePerfRecords, NeverReadsBeyondTheBuffer) {
  const std::string whole = perf_sample(11, 12, "raw data") + perf_sample(13, 14, "more");
  const std::size_t first = perf_sample(11, 12, "raw data").size();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == first) continue;
    const Walk cut = walk(whole.substr(0, size));
    EXPECT_FALSE(cut.end) << size;
    EXPECT_EQ(cut.samples.size(), size < first ? 0U : 1U) << "what came before is right";
  }
}

TEST(ParsePerfRecords, SaysWhatIsWrong) {
  EXPECT_EQ(walk("1234567").end.error().detail,
            "expected a perf record's header of 8 bytes, found 7");
  EXPECT_THAT(walk(std::string(8, '\0')).end.error().detail,
              HasSubstr("perf record of length 0 in 8 bytes"))
      << "a length of 0 would be read for ever";
  EXPECT_THAT(walk(perf_record(PERF_RECORD_SAMPLE, "12345678901")).end.error().detail,
              HasSubstr("too short for what it announces"));
  std::string announcing = perf_sample(1, 1, "1234");
  announcing[32] = 5;
  EXPECT_FALSE(walk(announcing).end) << "raw data beyond their record";
  announcing[35] = static_cast<char>(0xff);
  EXPECT_FALSE(walk(announcing).end);
}

TEST(ParsePerfRecords, ReadsWhatTheKernelRecorded) {
  const auto layout = layout_of(read_format("linux-6.18"));
  ASSERT_TRUE(layout);
  std::vector<std::string> failures;
  const std::string recorded = read_fixture("linux-6.18/perf/cpu1");
  const auto end =
      parse_perf_records(std::as_bytes(std::span(recorded)), [&](const PerfSample& sample) {
        const auto tuple = parse_connect_failure(*layout, sample.raw);
        ASSERT_TRUE(tuple) << tuple.error().text();
        failures.push_back(std::to_string(sample.firing) + ": " + std::to_string(sample.process) +
                           " " + to_string(tuple->local) + " " + to_string(tuple->remote) + " " +
                           std::to_string(tuple->remote_port));
      });
  EXPECT_TRUE(end);
  EXPECT_THAT(failures,
              ElementsAre("1: 27381 ::1 ::1 8080", "2: 27381 ::1 ::1 8080",
                          "3: 27382 127.0.0.1 127.0.0.2 8080", "4: 27382 127.0.0.1 127.0.0.2 8080"))
      << "two of an IPv6 socket to an IPv4-mapped address at the end";
}

TEST(ParseCpuList, TakesNumbersAndRanges) {
  EXPECT_THAT(parse_cpu_list("0\n").value(), ElementsAre(0U));
  EXPECT_THAT(parse_cpu_list("0-3,8,10-11\n").value(), ElementsAre(0U, 1U, 2U, 3U, 8U, 10U, 11U));
  EXPECT_EQ(parse_cpu_list("0-65535").value().size(), 65536U);
}

TEST(ParseCpuList, RejectsWhatDoesNotRise) {
  for (const char* text : {"3,1", "0-3,3", "0-65535,0-65535", "1,1"}) {
    const auto cpus = parse_cpu_list(text);
    ASSERT_FALSE(cpus) << "taken for good: " << text;
    EXPECT_EQ(cpus.error().detail, "expected CPUs in rising order");
  }
}

TEST(ParseCpuList, RejectsWhatIsNone) {
  for (const char* text : {"", "\n", "x", "1-", "-1", "3-1", "1,,2", "65536", "0 1"}) {
    const auto cpus = parse_cpu_list(text);
    ASSERT_FALSE(cpus) << "taken for good: " << text;
    EXPECT_THAT(cpus.error().detail, HasSubstr("expected a CPU or a range of CPUs, found"));
  }
}

}  // namespace
}  // namespace timewait::parse
