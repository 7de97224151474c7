#include "daemon/http/open_listeners.h"

#include <algorithm>
#include <utility>

namespace timewait {

tl::expected<ListenerChange, std::string> OpenListeners::open(
    const std::vector<config::ListenAddress>& addresses) {
  ListenerChange change;
  std::vector<int> closing;
  next_.clear();
  for (const Open& open : open_) {
    if (std::ranges::find(addresses, open.asked_for) != addresses.end()) {
      next_.push_back(open);
    } else {
      change.closed.push_back(open.address);
      closing.push_back(open.descriptor);
    }
  }
  for (const config::ListenAddress& address : addresses) {
    if (std::ranges::find(open_, address, &Open::asked_for) != open_.end()) continue;
    auto listener = listen_on(address, closing);
    if (!listener) return tl::make_unexpected(listener.error());
    next_.push_back({address, listener->address(), listener->descriptor()});
    change.opened.push_back(*std::move(listener));
  }
  return change;
}

void OpenListeners::commit() { open_ = std::move(next_); }

}  // namespace timewait
