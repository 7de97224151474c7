#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/http/server.h"
#include "tests/unit/http/sample_snapshot.h"
#include "tests/unit/http/socket_client.h"

namespace timewait::test {

/// A server that serves sample_snapshot() on the loopback, once start() was called.
class ServerTest : public testing::Test {
 protected:
  void start(const ServerLimits& limits = {},
             const config::ListenAddress& on = {"127.0.0.1", 0, {}}) {
    auto listener = listen_on(on);
    ASSERT_TRUE(listener) << listener.error();
    address_ = listener->address();
    std::vector<Listener> listeners;
    listeners.push_back(std::move(*listener));
    server_ = std::make_unique<Server>(std::move(listeners), handler_, web_, limits, log_);
  }

  /// From here on `/` is a page that no socket buffer holds.
  void publish_huge_page() {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
    Snapshot snapshot = sample_snapshot();
    snapshot.status_page.html.assign(32 * kMebibyte, 'x');
    publish(std::move(snapshot));
  }

  void publish(Snapshot snapshot) {
    snapshot_ = std::make_shared<const Snapshot>(std::move(snapshot));
    store_.publish(snapshot_);
  }

  SocketClient connect() const { return SocketClient(address_); }

  Log log_{LogLevel::kError};
  SnapshotStore store_;
  std::shared_ptr<const Snapshot> snapshot_;
  WebSettingsStore web_;
  RequestHandler handler_{store_};
  std::string address_;
  std::unique_ptr<Server> server_;

  void SetUp() override { publish(sample_snapshot()); }
};

}  // namespace timewait::test
