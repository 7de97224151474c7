#include "collectors/model/failure_counts.h"

#include <map>
#include <random>

#include "tests/support/seed.h"
#include "tests/support/sockets.h"

namespace timewait {
namespace {

FailureSubject subject(const std::string& process, std::uint16_t port = 443,
                       const std::string& netns = "self") {
  return {netns, {test::address("192.0.2.1"), test::address("198.51.100.7"), port}, process};
}

std::map<std::string, std::uint64_t> shown(const FailureCounts& counts) {
  std::map<std::string, std::uint64_t> all;
  for (const auto& [of, count, was_shown] : counts.entries()) {
    all[of.netns + " " + of.process + " " + std::to_string(of.tuple.remote_port)] = count;
  }
  return all;
}

using Shown = std::map<std::string, std::uint64_t>;

TEST(FailureCounts, CountsBySubject) {
  FailureCounts counts(10);
  counts.add(subject("a"));
  counts.add(subject("a"));
  counts.add(subject("b"));
  counts.add(subject("a", 80));
  counts.add(subject("a", 443, "blue"));
  EXPECT_EQ(shown(counts),
            (Shown{{"self a 443", 2}, {"self b 443", 1}, {"self a 80", 1}, {"blue a 443", 1}}));
  EXPECT_EQ(counts.other(), 0U);
}

TEST(FailureCounts, TheLeastRecentlySeenGivesWay) {
  FailureCounts counts(2);
  counts.add(subject("a"));
  counts.add(subject("b"));
  counts.add(subject("a"));
  counts.add(subject("c"));
  EXPECT_EQ(shown(counts), (Shown{{"self a 443", 2}, {"self c 443", 1}}));
  EXPECT_EQ(counts.other(), 1U);
}

TEST(FailureCounts, WhoGaveWayDoesNotComeBackLowerInTheSameRound) {
  FailureCounts counts(1);
  for (int i = 0; i < 5; ++i) counts.add(subject("a"));
  counts.end_round();
  counts.add(subject("b"));
  counts.add(subject("a"));
  EXPECT_EQ(shown(counts), (Shown{{"self b 443", 1}})) << "a was shown with 5";
  EXPECT_EQ(counts.other(), 6U);
  counts.end_round();
  counts.add(subject("a"));
  EXPECT_EQ(shown(counts), (Shown{{"self a 443", 1}})) << "a was not in the last round";
  EXPECT_EQ(counts.other(), 7U);
}

TEST(FailureCounts, WhoWasNeverShownMayComeBackAtOnce) {
  FailureCounts counts(1);
  counts.add(subject("a"));
  counts.add(subject("b"));
  counts.add(subject("a"));
  EXPECT_EQ(shown(counts), (Shown{{"self a 443", 1}}));
  EXPECT_EQ(counts.other(), 2U);
}

TEST(FailureCounts, KeepsItsPromisesInRandomStreams) {
  std::mt19937 random(test::choose_seed());
  for (int run = 0; run < 50; ++run) {
    const std::size_t capacity = 1 + random() % 8;
    FailureCounts counts(capacity);
    std::uint64_t added = 0;
    Shown last;
    std::uint64_t last_other = 0;
    for (int round = 0; round < 40; ++round) {
      for (std::size_t i = random() % 30; i > 0; --i, ++added) {
        counts.add(subject(std::string(1, static_cast<char>('a' + random() % 12))));
      }
      std::uint64_t sum = counts.other();
      const Shown now = shown(counts);
      for (const auto& [name, count] : now) {
        sum += count;
        const auto before = last.find(name);
        EXPECT_TRUE(before == last.end() || before->second <= count) << name << " has fallen";
      }
      EXPECT_EQ(sum, added);
      EXPECT_GE(counts.other(), last_other);
      EXPECT_LE(now.size(), capacity);
      last = now;
      last_other = counts.other();
      counts.end_round();
    }
  }
}

TEST(FailureCounts, GoOnFromOthersWithinTheirOwnCapacity) {
  FailureCounts before(10);
  for (const char* process : {"a", "b", "b", "c"}) before.add(subject(process));
  before.end_round();
  FailureCounts counts(2);
  counts.continue_from(std::move(before));
  EXPECT_EQ(shown(counts), (Shown{{"self b 443", 2}, {"self c 443", 1}}));
  EXPECT_EQ(counts.other(), 1U) << "the sum stays exact";
  counts.add(subject("a"));
  EXPECT_EQ(counts.other(), 2U) << "a was shown with 1 in the last round";
  counts.add(subject("d"));
  EXPECT_EQ(shown(counts), (Shown{{"self c 443", 1}, {"self d 443", 1}}));
}

}  // namespace
}  // namespace timewait
