#include "daemon/http/basic_auth.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

#include "daemon/http/bcrypt.h"
#include "daemon/run_or_exit.h"

namespace timewait {

namespace {

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

BasicAuth::BasicAuth(Matches matches) : matches_(std::move(matches)) {
  if (!matches_) matches_ = matches_bcrypt;
}

BasicAuth::~BasicAuth() {
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void BasicAuth::use(const std::vector<config::BasicAuthUser>& users) {
  if (users != users_) users_ = users;
}

void BasicAuth::check(std::string_view authorization, std::string peer, Done done) {
  auto credentials = parse_credentials(authorization);
  if (!credentials) return done(Verdict::kRefused);
  Check check = prepare(*std::move(credentials), std::move(peer), std::move(done));
  if (check.is_user && passed_.contains(check.entry)) return check.done(Verdict::kAccepted);
  const auto left_over = enqueue(std::move(check));
  if (left_over) left_over->done(Verdict::kBusy);
}

BasicAuth::Check BasicAuth::prepare(Credentials credentials, std::string peer, Done done) const {
  const std::size_t decoy = passed_.number_of(credentials.name) % users_.size();
  const config::BasicAuthUser* found = &users_[decoy];
  bool is_user = false;
  for (const config::BasicAuthUser& user : users_) {  // all of them, however early one is found
    if (!equal(user.name, credentials.name)) continue;
    found = &user;
    is_user = true;
  }
  const auto entry = passed_.entry_of(credentials.name, found->bcrypt_hash, credentials.password);
  return {std::move(credentials), found->bcrypt_hash, is_user, entry,
          std::move(peer),        std::move(done)};
}

std::optional<BasicAuth::Check> BasicAuth::enqueue(Check check) {
  const std::scoped_lock lock(mutex_);
  check.turn = static_cast<std::size_t>(std::ranges::count(waiting_, check.peer, &Check::peer));
  waiting_.insert(std::ranges::upper_bound(waiting_, check.turn, {}, &Check::turn),
                  std::move(check));
  std::optional<Check> left_over;
  if (waiting_.size() > kMostWaiting) {
    left_over = std::move(waiting_.back());
    waiting_.pop_back();
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run_or_exit("checking passwords", [this] { run(); }); });
  }
  changed_.notify_one();
  return left_over;
}

void BasicAuth::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    if (ends_) return;
    Check check = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    judge(std::move(check));
    lock.lock();
  }
}

void BasicAuth::judge(Check check) {
  // It may have passed since it was put into the queue: a client's connections come together.
  const bool has_passed = check.is_user && passed_.contains(check.entry);
  const bool matches = has_passed || matches_(check.credentials.password, check.hash);
  OPENSSL_cleanse(check.credentials.password.data(), check.credentials.password.size());
  const bool accepted = matches && check.is_user;
  if (accepted && !has_passed) passed_.add(check.entry);
  check.done(accepted ? Verdict::kAccepted : Verdict::kRefused);
}

}  // namespace timewait
