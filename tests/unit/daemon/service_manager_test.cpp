#include "daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <thread>

#include "tests/unit/daemon/poller_fixture.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

/// The receiving end, at a path or in the abstract namespace (`@name`).
class NotifySocket {
 public:
  explicit NotifySocket(std::string path)
      : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path_.copy(name.sun_path, path_.size());
    if (path_.front() == '@') name.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), size), 0) << path_;
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  NotifySocket(NotifySocket&&) = delete;
  NotifySocket& operator=(NotifySocket&&) = delete;
  ~NotifySocket() {
    if (path_.front() != '@') std::filesystem::remove(path_);
  }

  const std::string& path() const { return path_; }

  /// The next message, or nothing if none is there.
  std::string receive() const {
    std::array<char, 512> buffer{};
    const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return size < 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

 private:
  std::string path_;
  FileDescriptor socket_;
};

std::string socket_path() { return ::testing::TempDir() + "notify_" + std::to_string(::getpid()); }

tl::expected<ServiceManager, std::string> make(const std::vector<std::string>& variables) {
  std::vector<const char*> environment;
  for (const std::string& variable : variables) environment.push_back(variable.c_str());
  environment.push_back(nullptr);
  return ServiceManager::from_environment(environment.data());
}

TEST(ServiceManager, IsToldByDatagrams) {
  const NotifySocket socket(socket_path());
  const auto manager = make({"NOTIFY_SOCKET=" + socket.path()});
  ASSERT_TRUE(manager) << manager.error();
  manager->notify_ready();
  EXPECT_EQ(socket.receive(), "READY=1");
  manager->notify_status("all is well");
  EXPECT_EQ(socket.receive(), "STATUS=all is well");
  manager->notify_alive();
  EXPECT_EQ(socket.receive(), "WATCHDOG=1");
  manager->notify_reloading();
  EXPECT_THAT(socket.receive(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  manager->notify_stopping();
  EXPECT_EQ(socket.receive(), "STOPPING=1");
}

TEST(ServiceManager, MayListenInTheAbstractNamespace) {
  const NotifySocket socket("@timewait_exporter_test_" + std::to_string(::getpid()));
  const auto manager = make({"NOTIFY_SOCKET=" + socket.path()});
  ASSERT_TRUE(manager) << manager.error();
  manager->notify_ready();
  EXPECT_EQ(socket.receive(), "READY=1");
}

TEST(ServiceManager, NothingHappensWithoutOneOrWhenItHasGone) {
  EXPECT_TRUE(make({"NOTIFY_SOCKET=", "WATCHDOG_USEC=1"}));
  const auto none = make({"PATH=/bin"});
  ASSERT_TRUE(none);
  none->notify_ready();
  EXPECT_EQ(none->watchdog(), std::nullopt);
  const auto gone = make({"NOTIFY_SOCKET=/nonexistent/socket"});
  ASSERT_TRUE(gone);
  gone->notify_ready();
}

TEST(ServiceManager, APollDoesNotWaitForAReceiverThatDoesNotRead) {
  const NotifySocket socket(socket_path());
  const auto manager = make({"NOTIFY_SOCKET=" + socket.path()});
  ASSERT_TRUE(manager) << manager.error();
  // The kernel's queue of datagrams holds net.unix.max_dgram_qlen, 10 or 512.
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1'000; ++i) {
    manager->notify_status("all is well");
    manager->notify_alive();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s) << "each would wait for a second";
}

TEST(ServiceManager, SaysHowLongItsWatchdogIsPatient) {
  const std::string path = "NOTIFY_SOCKET=/run/x";
  const std::string pid = std::to_string(::getpid());
  const auto watchdog = [&](std::vector<std::string> more) {
    more.push_back(path);
    const auto manager = make(more);
    EXPECT_TRUE(manager) << manager.error();
    return manager->watchdog();
  };
  EXPECT_EQ(watchdog({}), std::nullopt);
  EXPECT_EQ(watchdog({"WATCHDOG_USEC=30000000"}), 30s);
  EXPECT_EQ(watchdog({"WATCHDOG_USEC=30000000", "WATCHDOG_PID=" + pid}), 30s);
  EXPECT_EQ(watchdog({"WATCHDOG_USEC=30000000", "WATCHDOG_PID=1"}), std::nullopt)
      << "it is another process's";
}

TEST(ServiceManager, RefusesWhatItCannotUse) {
  const auto error = [](const std::vector<std::string>& variables) {
    const auto manager = make(variables);
    return manager ? std::string() : manager.error();
  };
  EXPECT_THAT(error({"NOTIFY_SOCKET=relative"}), HasSubstr("NOTIFY_SOCKET: expected the path"));
  EXPECT_THAT(error({"NOTIFY_SOCKET=vsock:2:1234"}), HasSubstr("vsock:2:1234"));
  EXPECT_THAT(error({"NOTIFY_SOCKET=/" + std::string(200, 'x')}), HasSubstr("NOTIFY_SOCKET"));
  for (const std::string value : {"", "0", "-1", "1s", "99999999999999999999"}) {
    EXPECT_THAT(error({"NOTIFY_SOCKET=/run/x", "WATCHDOG_USEC=" + value}),
                HasSubstr("WATCHDOG_USEC: expected a positive number"));
  }
}

class PollerAndServiceManager : public test::PollerTest {
 protected:
  Poller make_watched(std::deque<test::ScriptedCollector::Step> steps) {
    manager_ = *make({"NOTIFY_SOCKET=" + socket_.path(), "WATCHDOG_USEC=60000000"});
    return make_poller(test::polled("c", std::move(steps)));
  }

  std::vector<std::string> received() const {
    std::vector<std::string> all;
    for (std::string next = socket_.receive(); !next.empty(); next = socket_.receive()) {
      all.push_back(std::move(next));
    }
    return all;
  }

  NotifySocket socket_{socket_path()};
};

TEST_F(PollerAndServiceManager, TheStatusLineFollowsChanges) {
  Poller poller = make_watched(
      {test::good("c"), test::good("c"), test::bad("c", ErrorReason::kIo), test::good("c")});
  std::vector<std::string> statuses;
  for (int i = 0; i < 4; ++i) {
    poller.poll_due();
    for (const std::string& message : received()) {
      if (message.starts_with("STATUS=")) statuses.push_back(message);
    }
    clock_.time += 15s;
  }
  EXPECT_THAT(statuses, ::testing::ElementsAre("STATUS=all 1 collectors succeed",
                                               "STATUS=0 of 1 collectors succeed; failing: c",
                                               "STATUS=all 1 collectors succeed"));
}

TEST_F(PollerAndServiceManager, TheWatchdogIsFedTwiceInItsTimeByPollsThatEnd) {
  Poller poller = make_watched({test::good("c")});
  std::vector<std::chrono::seconds> fed;
  const SteadyTime start = clock_.time;
  for (int i = 0; i < 8; ++i) {
    poller.poll_due();
    for (const std::string& message : received()) {
      if (message != "WATCHDOG=1") continue;
      fed.push_back(std::chrono::duration_cast<std::chrono::seconds>(clock_.time - start));
    }
    clock_.time += 15s;
  }
  EXPECT_THAT(fed, ::testing::ElementsAre(0s, 30s, 60s, 90s));
}

TEST(PollerThreadAndServiceManager, TheWatchdogIsFedWhileNothingIsDue) {
  const NotifySocket socket(socket_path());
  const auto manager = make({"NOTIFY_SOCKET=" + socket.path(), "WATCHDOG_USEC=20000"});
  ASSERT_TRUE(manager);
  const SystemClock clock;
  const Log log(LogLevel::kError);
  SnapshotStore store;
  std::vector<PolledCollector> collectors;
  collectors.push_back(test::polled("c", {test::good("c")}, 1h));
  Poller poller(std::move(collectors), "/metrics", clock, log, store, *manager);
  poller.poll_due();
  std::jthread thread([&](const std::stop_token& stop) { poller.run(stop); });
  const SteadyTime deadline = clock.now() + 10s;
  int fed = 0;
  while (fed < 4 && clock.now() < deadline) fed += socket.receive() == "WATCHDOG=1" ? 1 : 0;
  EXPECT_EQ(fed, 4);
}

TEST(Summary, NamesWhatFails) {
  PollStatus status;
  status.collectors.resize(3);
  status.collectors[0].name = "sock_diag";
  status.collectors[0].success = true;
  status.collectors[1].name = "slabinfo";
  status.collectors[2].name = "advice";
  EXPECT_EQ(render_summary(status), "1 of 3 collectors succeed; failing: slabinfo, advice");
}

}  // namespace
}  // namespace timewait
