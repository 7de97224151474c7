#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/web_config.h"
#include "daemon/http/credentials.h"
#include "daemon/http/password_cache.h"

namespace timewait {

/// Checks the passwords of HTTP's Basic authentication (RFC 7617), one at a time on a thread of its
/// own; those that have passed once pass at once from then on. The peers take turns: one that
/// floods the queue waits behind the others, and gives way to them where it is full. A name that no
/// user has costs a check against the hash of some user, the same for that name as long as the
/// users stay: how long a refusal takes does not tell which names there are, whatever the users'
/// costs.
class BasicAuth {
 public:
  enum class Verdict : std::uint8_t {
    kAccepted,
    kRefused,
    kBusy,  ///< kMostWaiting are waiting already, of which this peer has the most
  };
  /// Called once, within check() or on the thread of the checks; destroyed uncalled if this object
  /// is destroyed first.
  using Done = std::function<void(Verdict)>;
  /// Whether a password has a hash.
  using Matches = std::function<bool(const std::string& password, const std::string& hash)>;

  static constexpr std::size_t kMostWaiting = 32;

  /// The thread starts with the first check. `matches` is for tests.
  explicit BasicAuth(Matches matches = {});
  BasicAuth(const BasicAuth&) = delete;
  BasicAuth& operator=(const BasicAuth&) = delete;
  BasicAuth(BasicAuth&&) = delete;
  BasicAuth& operator=(BasicAuth&&) = delete;
  /// Waits for the check that is under way; not for those behind it.
  ~BasicAuth();

  /// Who may, from now on. With others than before, no password has passed yet. This and check()
  /// are for one thread.
  void use(const std::vector<config::BasicAuthUser>& users);

  /// Judges the value of an Authorization field. There are users. `peer` is whoever is to get no
  /// more than its share.
  void check(std::string_view authorization, std::string peer, Done done);

 private:
  struct Check {
    Credentials credentials;
    std::string hash;
    bool is_user = false;  ///< else whatever comes out is refused
    PasswordCache::Entry entry{};
    std::string peer;
    Done done;
    std::size_t turn = 0;  ///< how many of the peer's are before it
  };

  Check prepare(Credentials credentials, std::string peer, Done done) const;
  /// Gives back which one finds no place any more, this or another.
  std::optional<Check> enqueue(Check check);
  void run();
  void judge(Check check);

  Matches matches_;
  std::vector<config::BasicAuthUser> users_;
  PasswordCache passed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Check> waiting_;  ///< by turn
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace timewait
