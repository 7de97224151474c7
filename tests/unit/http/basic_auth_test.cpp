#include "daemon/http/basic_auth.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/bcrypt.h"
#include "daemon/http/peer.h"

namespace timewait {
namespace {

using config::BasicAuthUser;
using namespace std::string_literals;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;
using Verdict = BasicAuth::Verdict;

// alice:secret, bob:hunter2, carol:pass
const std::string kAlice = "Basic YWxpY2U6c2VjcmV0";
const std::string kBob = "Basic Ym9iOmh1bnRlcjI=";
const std::string kCarol = "Basic Y2Fyb2w6cGFzcw==";
const std::string kAliceWrong = "Basic YWxpY2U6d3Jvbmc=";

TEST(Bcrypt, KnowsThePasswordOfAHash) {
  // OpenBSD's and crypt_blowfish's test vectors, and what htpasswd makes.
  struct Case {
    std::string password;
    std::string hash;
  };
  const std::vector<Case> cases = {
      {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
      {"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
      {"U*U*", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
      {"fakepassword", "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"},
  };
  for (const Case& each : cases) {
    EXPECT_TRUE(matches_bcrypt(each.password, each.hash)) << each.hash;
    EXPECT_FALSE(matches_bcrypt(each.password + "x", each.hash)) << each.hash;
  }
  EXPECT_FALSE(matches_bcrypt(std::string(5'000, 'x'), cases[0].hash));
}

/// Checks that a test lets through one by one, or all at once.
class BasicAuthTest : public testing::Test {
 protected:
  static bool matches(const std::string& password, const std::string& hash) {
    return hash == "hash of " + password;
  }

  BasicAuthTest() { auth_.use({{"alice", "hash of secret"}, {"bob", "hash of hunter2"}}); }

  Verdict check(const std::string& field) {
    auto verdict = std::make_shared<std::promise<Verdict>>();
    auto future = verdict->get_future();
    auth_.check(field, "peer", [verdict](Verdict found) { verdict->set_value(found); });
    return future.get();
  }

  /// The hashes that passwords were checked against since the last call.
  std::vector<std::string> checked() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(checked_, {});
  }

  std::mutex mutex_;
  std::vector<std::string> checked_;
  BasicAuth auth_{[this](const std::string& password, const std::string& hash) {
    const std::scoped_lock lock(mutex_);
    checked_.push_back(hash);
    return matches(password, hash);
  }};
};

TEST_F(BasicAuthTest, LetsInWhoHasThePassword) {
  EXPECT_EQ(check(kAlice), Verdict::kAccepted);
  EXPECT_EQ(check(kBob), Verdict::kAccepted);
  EXPECT_EQ(check(kAliceWrong), Verdict::kRefused);
  EXPECT_EQ(check(kCarol), Verdict::kRefused);
}

TEST_F(BasicAuthTest, RefusesAtOnceWhatIsNoPassword) {
  EXPECT_EQ(check(""), Verdict::kRefused);
  EXPECT_EQ(check("Bearer x"), Verdict::kRefused);
  EXPECT_THAT(checked(), SizeIs(0));
}

TEST_F(BasicAuthTest, ChecksAPasswordThatHasPassedOnce) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(check(kAlice), Verdict::kAccepted);
  EXPECT_THAT(checked(), ElementsAre("hash of secret"));
  EXPECT_EQ(check(kAliceWrong), Verdict::kRefused);
  EXPECT_EQ(check(kAlice), Verdict::kAccepted);
  EXPECT_THAT(checked(), ElementsAre("hash of secret"));
}

TEST_F(BasicAuthTest, ChecksAPasswordThatHasFailedAgain) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check(kAliceWrong), Verdict::kRefused);
  EXPECT_THAT(checked(), SizeIs(3));
}

TEST_F(BasicAuthTest, AUnknownNameCostsTheCheckOfAUserAlwaysTheSame) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check(kCarol), Verdict::kRefused);
  const auto hashes = checked();
  ASSERT_THAT(hashes, SizeIs(3));
  EXPECT_THAT(hashes, Each(hashes.front()));
}

TEST_F(BasicAuthTest, AnUnknownNameWithAUsersPasswordIsRefused) {
  auth_.use({{"alice", "hash of pass"}});
  EXPECT_EQ(check(kCarol), Verdict::kRefused);
  EXPECT_EQ(check(kCarol), Verdict::kRefused);
  EXPECT_THAT(checked(), ElementsAre("hash of pass", "hash of pass"));
}

TEST_F(BasicAuthTest, WhatHasPassedHoldsForThatUserAndHashAlone) {
  EXPECT_EQ(check(kAlice), Verdict::kAccepted);
  auth_.use({{"alice", "hash of secret"}, {"bob", "hash of hunter2"}});
  EXPECT_EQ(check(kAlice), Verdict::kAccepted);
  EXPECT_THAT(checked(), SizeIs(1));
  auth_.use({{"alice", "hash of another"}});
  EXPECT_EQ(check(kAlice), Verdict::kRefused);
  EXPECT_EQ(check(kBob), Verdict::kRefused);
  auth_.use({{"alice", "hash of secret"}});
  EXPECT_EQ(check(kAlice), Verdict::kAccepted);
  EXPECT_THAT(checked(), SizeIs(2))
      << "a change of the users does not put the others into the queue";
}

/// Checks that wait until they are released.
class SlowBasicAuthTest : public testing::Test {
 protected:
  SlowBasicAuthTest() { auth_.emplace(matches()).use({{"alice", "hash"}}); }

  BasicAuth::Matches matches() {
    return [released = released_.get_future().share()](const std::string&, const std::string&) {
      released.wait();
      return true;
    };
  }

  void start_check(const std::string& field, const std::string& peer = "peer") {
    auth_->check(field, peer, [this, peer](Verdict verdict) {
      const std::scoped_lock lock(mutex_);
      ++verdicts_[verdict];
      order_.push_back(peer);
    });
  }

  std::vector<std::string> order() {
    const std::scoped_lock lock(mutex_);
    return order_;
  }

  void wait_until_done(std::size_t checks) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (order().size() < checks) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "not every check came to an end";
      std::this_thread::yield();
    }
  }

  int count(Verdict verdict) {
    const std::scoped_lock lock(mutex_);
    return verdicts_[verdict];
  }

  std::promise<void> released_;
  std::mutex mutex_;
  std::map<Verdict, int> verdicts_;
  std::vector<std::string> order_;  ///< of the peers that were answered
  std::optional<BasicAuth> auth_;
};

TEST_F(SlowBasicAuthTest, TurnsAwayWhenTooManyWait) {
  constexpr int kMany = 50;
  const auto waiting = static_cast<int>(BasicAuth::kMostWaiting);
  for (int i = 0; i < kMany; ++i) start_check(kCarol);
  // One more where the first is under way already.
  EXPECT_GE(count(Verdict::kBusy), kMany - waiting - 1);
  EXPECT_LE(count(Verdict::kBusy), kMany - waiting);
  released_.set_value();
  wait_until_done(kMany);
}

TEST_F(SlowBasicAuthTest, OnePeersFloodDoesNotKeepAnotherOneOut) {
  constexpr std::size_t kMany = 50;
  for (std::size_t i = 0; i < kMany; ++i) start_check(kCarol, "flood");
  const auto turned_away = order().size();
  EXPECT_GE(turned_away, kMany - BasicAuth::kMostWaiting - 1);
  start_check(kAlice, "prometheus");
  released_.set_value();
  wait_until_done(kMany + 1);
  EXPECT_EQ(count(Verdict::kAccepted), 1);
  const auto answered = order();
  const auto place = std::find(answered.begin(), answered.end(), "prometheus") - answered.begin();
  // Before it: who gave way to it, the one under way, and the flood's in the same turn.
  EXPECT_LE(place, static_cast<std::ptrdiff_t>(turned_away + 1 + 2));
}

TEST_F(SlowBasicAuthTest, WhoComesAgainAndAgainIsNotServedBeforeTheOldOnes) {
  start_check(kCarol, "first");
  for (int i = 0; i < 3; ++i) start_check(kCarol, "victim");
  // Each answer to the guesser is followed by its next guess.
  std::atomic<int> guesses = 0;
  std::function<void()> guess = [&] {
    if (++guesses > 20) return;
    auth_->check(kCarol, "guesser", [&](Verdict) {
      {
        const std::scoped_lock lock(mutex_);
        order_.emplace_back("guesser");
      }
      guess();
    });
  };
  guess();
  guess();
  released_.set_value();
  wait_until_done(1 + 3 + 20);
  auth_.reset();  // its thread may still be in the last guess
  const auto answered = order();
  const auto last_of_victim = std::find(answered.rbegin(), answered.rend(), "victim");
  EXPECT_LE(std::count(last_of_victim, answered.rend(), "guesser"), 4)
      << testing::PrintToString(answered);
}

TEST(PeerNetwork, IsTheAddressOrTheNetworkOfAnIpv6Host) {
  const auto network = [](const char* text) {
    in6_addr v6{};
    sockaddr_in v4{.sin_family = AF_INET, .sin_port = 1, .sin_addr = {}, .sin_zero = {}};
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
      return peer_network(std::as_bytes(std::span(&v4, 1)));
    }
    EXPECT_EQ(::inet_pton(AF_INET6, text, &v6), 1) << text;
    address.sin6_addr = v6;
    return peer_network(std::as_bytes(std::span(&address, 1)));
  };
  EXPECT_EQ(network("192.0.2.1"), "\xC0\0\x02\x01"s);
  EXPECT_EQ(network("::ffff:192.0.2.1"), network("192.0.2.1"));
  EXPECT_NE(network("192.0.2.1"), network("192.0.2.2"));
  EXPECT_EQ(network("2001:db8::1"), network("2001:db8::ffff:2"));
  EXPECT_EQ(network("2001:db8::1"), network("2001:db8:0:ff::1"));
  EXPECT_NE(network("2001:db8::1"), network("2001:db8:0:100::1"));
  EXPECT_EQ(peer_network({}), "");
}

TEST_F(SlowBasicAuthTest, EndsWithoutTheChecksThatWait) {
  for (int i = 0; i < 10; ++i) start_check(kAlice);
  std::thread release([this] { released_.set_value(); });
  auth_.reset();
  release.join();
  EXPECT_LE(count(Verdict::kAccepted), 10);
}

TEST(PasswordCache, KeepsTheNewest) {
  PasswordCache cache;
  const auto entry = [&](std::size_t i) { return cache.entry_of("a", "h", std::to_string(i)); };
  for (std::size_t i = 0; i <= PasswordCache::kMost; ++i) cache.add(entry(i));
  EXPECT_FALSE(cache.contains(entry(0)));
  for (std::size_t i = 1; i <= PasswordCache::kMost; ++i) EXPECT_TRUE(cache.contains(entry(i)));
}

TEST(PasswordCache, TellsEveryPartApart) {
  const PasswordCache cache;
  const auto entry = cache.entry_of("ab", "cd", "ef");
  EXPECT_EQ(entry, cache.entry_of("ab", "cd", "ef"));
  EXPECT_NE(entry, cache.entry_of("a", "bcd", "ef"));
  EXPECT_NE(entry, cache.entry_of("ab", "c", "def"));
  EXPECT_NE(entry, cache.entry_of("ab", "cd", "eF"));
  EXPECT_NE(entry, PasswordCache().entry_of("ab", "cd", "ef")) << "the key is another";
}

}  // namespace
}  // namespace timewait
