#include "collectors/parse/text.h"

#include <cstdint>
#include <vector>

#include "collectors/error.h"

namespace timewait::parse {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> split(std::initializer_list<std::string_view> chunks) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) -> Result<void> {
    lines.emplace_back(line);
    return {};
  };
  LineSplitter splitter;
  for (const std::string_view chunk : chunks) EXPECT_TRUE(splitter.push(chunk, keep));
  EXPECT_TRUE(splitter.finish(keep));
  return lines;
}

TEST(ParseNumber, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_number<std::int64_t>("-5"), -5);
  EXPECT_EQ(parse_number<std::uint32_t>("0100007F", 16), 0x0100007FU);
  for (const char* wrong : {"", " 1", "1 ", "+1", "-1", "1x", "65536", "0x10", "1.0"}) {
    EXPECT_EQ(parse_number<std::uint16_t>(wrong), std::nullopt) << "text: \"" << wrong << '"';
  }
}

TEST(NextWord, SkipsBlanksAndEndsEmpty) {
  std::string_view rest = "  one\ttwo \n three";
  EXPECT_EQ(next_word(rest), "one");
  EXPECT_EQ(next_word(rest), "two");
  EXPECT_EQ(next_word(rest), "three");
  EXPECT_EQ(next_word(rest), "");
  EXPECT_EQ(next_word(rest), "");
}

TEST(NextLine, GivesALastLineWithoutNewline) {
  std::string_view rest = "a\n\nb";
  EXPECT_EQ(next_line(rest), "a");
  EXPECT_EQ(next_line(rest), "");
  EXPECT_EQ(next_line(rest), "b");
  EXPECT_TRUE(rest.empty());
}

TEST(LineSplitter, JoinsLinesAcrossChunks) {
  EXPECT_THAT(split({"on", "e\ntw", "o\n", "\nlast"}), ElementsAre("one", "two", "", "last"));
}

TEST(LineSplitter, GivesNothingForNothing) { EXPECT_THAT(split({"", ""}), ElementsAre()); }

TEST(LineSplitter, CutsALineThatHasNoEnd) {
  const std::string endless(3 * LineSplitter::kMaxLine, 'x');
  for (const std::string& line : split({endless, endless, "\n", endless + "\nshort\n"})) {
    EXPECT_LE(line.size(), LineSplitter::kMaxLine);
  }
}

TEST(LineSplitter, StopsAtTheFirstError) {
  LineSplitter splitter;
  int calls = 0;
  const auto fail = [&](std::string_view) -> Result<void> {
    ++calls;
    return malformed("no");
  };
  EXPECT_FALSE(splitter.push("a\nb\n", fail));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace timewait::parse
