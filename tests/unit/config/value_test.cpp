#include "config/value.h"

namespace timewait::config {
namespace {

Value scalar(const char* text, bool quoted = false) { return {{1, 1}, Scalar{text, quoted}}; }

TEST(SameContent, DoesNotDependOnThePlace) {
  const Value one{{1, 1}, Map{{"top", {1, 1}, scalar("20")}}};
  const Value other{{7, 3}, Map{{"top", {8, 3}, {{8, 8}, Scalar{"20", false}}}}};
  EXPECT_TRUE(has_same_content(one, other));
}

TEST(SameContent, DiffersByKeyTextQuotesOrderAndShape) {
  const Value map{{1, 1}, Map{{"a", {}, scalar("1")}, {"b", {}, scalar("2")}}};
  const Value swapped{{1, 1}, Map{{"b", {}, scalar("2")}, {"a", {}, scalar("1")}}};
  const Value renamed{{1, 1}, Map{{"a", {}, scalar("1")}, {"c", {}, scalar("2")}}};
  const Value shorter{{1, 1}, Map{{"a", {}, scalar("1")}}};
  for (const Value& other : {swapped, renamed, shorter}) {
    EXPECT_FALSE(has_same_content(map, other));
  }
  EXPECT_FALSE(has_same_content(scalar("1"), scalar("2")));
  EXPECT_FALSE(has_same_content(scalar("1"), scalar("1", true)));
  EXPECT_FALSE(has_same_content(scalar("1"), {{1, 1}, List{scalar("1")}}));
  EXPECT_FALSE(has_same_content({{1, 1}, List{}}, {{1, 1}, Map{}}));
  EXPECT_FALSE(has_same_content({}, {{1, 1}, Map{}}));
  EXPECT_TRUE(has_same_content({}, {{4, 4}, {}}));
}

TEST(SameContent, LooksIntoLists) {
  EXPECT_TRUE(has_same_content({{1, 1}, List{scalar("a"), scalar("b")}},
                               {{2, 1}, List{scalar("a"), scalar("b")}}));
  EXPECT_FALSE(has_same_content({{1, 1}, List{scalar("a"), scalar("b")}},
                                {{1, 1}, List{scalar("a"), scalar("c")}}));
}

}  // namespace
}  // namespace timewait::config
