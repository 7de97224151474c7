#include "collectors/model/listeners.h"

#include <boost/container_hash/hash.hpp>

namespace timewait {

std::size_t Listeners::KeyHash::operator()(const Key& key) const {
  std::size_t seed = boost::hash_range(key.address.bytes().begin(), key.address.bytes().end());
  boost::hash_combine(seed, key.port);
  boost::hash_combine(seed, key.covers_ipv4_too);
  return seed;
}

void Listeners::see(const Socket& listener, Time now) {
  // A kernel that does not tell IPV6_V6ONLY leaves the system's default, which is off.
  const bool covers_ipv4_too = listener.local.family() == Family::kIpv6 &&
                               listener.local.is_any() && !listener.ipv6_only.value_or(false);
  const Key key{listener.local, listener.local_port, covers_ipv4_too};
  if (const auto known = seen_.find(key); known != seen_.end()) {
    known->second = now;
    return;
  }
  if (seen_.size() >= kMaxListeners) return;
  seen_.emplace(key, now);
  cover(key);
}

void Listeners::forget_old(Time now) {
  const std::size_t forgotten =
      erase_if(seen_, [&](const auto& entry) { return now - entry.second > kRemembered; });
  if (forgotten == 0) return;
  any_ipv4_.clear();
  any_ipv6_.clear();
  specific_.clear();
  for (const auto& [key, last_seen] : seen_) cover(key);
}

void Listeners::cover(const Key& key) {
  if (!key.address.is_any()) {
    specific_.insert(key.port);
    return;
  }
  const bool is_ipv4 = key.address.family() == Family::kIpv4;
  if (is_ipv4 || key.covers_ipv4_too) any_ipv4_.insert(key.port);
  if (!is_ipv4) any_ipv6_.insert(key.port);
}

}  // namespace timewait
