#include "collectors/model/explicit_binds.h"

#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::connection;
using test::minisock;

const Socket kBound = connection("192.0.2.1", 40000, {"198.51.100.7", 80});

TEST(ExplicitBinds, AreKnownByTheirWholeQuadruplet) {
  ExplicitBinds binds;
  binds.see(kBound);
  EXPECT_TRUE(binds.confirm(kBound));
  EXPECT_TRUE(binds.confirm(minisock(kBound, 1s))) << "in whatever state";
  EXPECT_FALSE(binds.confirm(connection("192.0.2.2", 40000, {"198.51.100.7", 80})));
  EXPECT_FALSE(binds.confirm(connection("192.0.2.1", 40001, {"198.51.100.7", 80})));
  EXPECT_FALSE(binds.confirm(connection("192.0.2.1", 40000, {"198.51.100.8", 80})));
  EXPECT_FALSE(binds.confirm(connection("192.0.2.1", 40000, {"198.51.100.7", 81})));
  EXPECT_TRUE(binds.confirm(connection("::ffff:192.0.2.1", 40000, {"::ffff:198.51.100.7", 80})));
}

TEST(ExplicitBinds, LiveOnForAsLongAsTheyAreSeen) {
  ExplicitBinds binds;
  binds.see(kBound);
  for (int pass = 0; pass < 3; ++pass) {
    binds.end_pass();
    EXPECT_TRUE(binds.ports().contains(40000)) << "pass " << pass;
    EXPECT_TRUE(binds.confirm(kBound)) << "pass " << pass;
  }
  binds.end_pass();
  binds.end_pass();
  EXPECT_FALSE(binds.confirm(kBound)) << "one pass did not see it";
  EXPECT_TRUE(binds.ports().empty());
}

TEST(ExplicitBinds, AreBounded) {
  ExplicitBinds binds;
  const auto nth = [](std::size_t i) {
    return connection("192.0.2.1", 40000, {"198.51.100.7", static_cast<std::uint16_t>(i)});
  };
  for (std::size_t i = 0; i <= ExplicitBinds::kMaxConnections; ++i) binds.see(nth(i));
  EXPECT_TRUE(binds.confirm(nth(0)));
  EXPECT_TRUE(binds.confirm(nth(ExplicitBinds::kMaxConnections - 1)));
  EXPECT_FALSE(binds.confirm(nth(ExplicitBinds::kMaxConnections)));
}

}  // namespace
}  // namespace timewait
