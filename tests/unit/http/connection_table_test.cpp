#include "daemon/http/connection_table.h"

#include <deque>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace timewait {
namespace {

using testing::Eq;

/// Notes its name where it is closed.
class NamedConnection final : public Connection {
 public:
  NamedConnection(char name, ConnectionTable& table, std::string& closed)
      : name_(name), table_(table), closed_(closed) {
    table_.add(*this);
  }

  void close() override {
    closed_ += name_;
    table_.remove(*this);
  }

 private:
  char name_;
  ConnectionTable& table_;
  std::string& closed_;
};

class ConnectionTableTest : public testing::Test {
 protected:
  std::string closed_;
  ConnectionTable table_;
  NamedConnection a_{'a', table_, closed_};
  NamedConnection b_{'b', table_, closed_};
  NamedConnection c_{'c', table_, closed_};
};

TEST_F(ConnectionTableTest, ClosesTheLongestIdle) {
  EXPECT_TRUE(table_.close_longest_idle());
  EXPECT_THAT(closed_, Eq("a"));
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(ConnectionTableTest, PutsAConnectionThatBecameIdleLast) {
  table_.set_busy(a_);
  table_.set_idle(a_);
  while (table_.close_longest_idle()) {
  }
  EXPECT_THAT(closed_, Eq("bca"));
}

TEST_F(ConnectionTableTest, SparesTheBusy) {
  table_.set_busy(a_);
  table_.set_busy(c_);
  EXPECT_TRUE(table_.close_longest_idle());
  EXPECT_FALSE(table_.close_longest_idle());
  EXPECT_THAT(closed_, Eq("b"));
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(ConnectionTableTest, ClosesAll) {
  table_.set_busy(a_);
  table_.close_all();
  EXPECT_THAT(closed_, Eq("bca"));
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(ConnectionTableTest, ToleratesWhatIsNotListed) {
  table_.remove(b_);
  table_.remove(b_);
  table_.set_busy(b_);
  table_.set_idle(b_);
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(ConnectionTableTest, ShrinkageIsWhenMostOfManyHaveGone) {
  std::deque<NamedConnection> many;
  for (int i = 0; i < 97; ++i) many.emplace_back('x', table_, closed_);
  EXPECT_FALSE(table_.take_shrinkage()) << "100 are there";
  while (table_.size() > 26) table_.close_longest_idle();
  EXPECT_FALSE(table_.take_shrinkage()) << "a fourth and one are left";
  table_.close_longest_idle();
  EXPECT_TRUE(table_.take_shrinkage());
  table_.close_all();
  EXPECT_FALSE(table_.take_shrinkage()) << "since then there were only 25";
}

}  // namespace
}  // namespace timewait
