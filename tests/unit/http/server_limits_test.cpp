#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/server.h"
#include "tests/unit/http/server_fixture.h"
#include "tests/unit/http/socket_client.h"

namespace timewait::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kShort{300};
constexpr int kSmallBuffer = 4'096;
constexpr std::size_t kIdle = 1'000;
constexpr milliseconds kLong{600'000};
constexpr ServerLimits kNoDeadlines{512, kLong, kLong, kLong};

const std::string kGet = "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n";
const std::string kGetHugePage = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// Sends a byte every 10 ms until the server ends the connection; false if it does not.
bool drip_until_end(SocketClient& client, std::string_view bytes) {
  for (const char byte : bytes) {
    if (!client.send({&byte, 1}) || client.ended_within(10)) return true;
  }
  return false;
}

class ServerLimitsTest : public ServerTest {
 protected:
  /// A client that is being sent a page that it does not take.
  SocketClient connect_busy() const {
    SocketClient client(address_, kSmallBuffer);
    client.send(kGetHugePage);
    EXPECT_TRUE(client.receive_something());
    return client;
  }
};

TEST_F(ServerLimitsTest, CutsADrippingHeader) {
  start({512, kShort, kLong, kLong});
  const auto begin = Clock::now();
  SocketClient client = connect();
  EXPECT_TRUE(drip_until_end(client, "GET /metrics HTTP/1.1\r\nX: " + std::string(5'000, 'x')));
  EXPECT_GE(Clock::now() - begin, kShort);
}

TEST_F(ServerLimitsTest, CutsAConnectionThatSaysNothing) {
  start({512, kShort, kLong, kLong});
  SocketClient client = connect();
  EXPECT_TRUE(client.wait_for_end());
}

TEST_F(ServerLimitsTest, CutsADrippingHeaderOnAReusedConnection) {
  start({512, kShort, kLong, kLong});
  SocketClient client = connect();
  EXPECT_EQ(client.get("/metrics")->status, 200);
  EXPECT_FALSE(client.ended_within(2 * static_cast<int>(kShort.count())));
  EXPECT_EQ(client.get("/metrics")->status, 200);
  EXPECT_TRUE(drip_until_end(client, "GET /metrics HTTP/1.1\r\nX: " + std::string(5'000, 'x')));
}

TEST_F(ServerLimitsTest, CutsADrippingPipelinedHeader) {
  start({512, kShort, kLong, kLong});
  SocketClient client = connect();
  client.send(kGet + "GET /");
  EXPECT_EQ(client.receive()->status, 200);
  EXPECT_TRUE(drip_until_end(client, std::string(5'000, 'x')));
}

TEST_F(ServerLimitsTest, CutsAnIdleConnection) {
  start({512, kLong, kLong, kShort});
  SocketClient client = connect();
  EXPECT_EQ(client.get("/metrics")->status, 200);
  EXPECT_TRUE(client.wait_for_end());
}

TEST_F(ServerLimitsTest, CutsAClientThatNeverReads) {
  publish_huge_page();
  start({512, kLong, kShort, kLong});
  const SocketClient client = connect_busy();
  EXPECT_TRUE(client.wait_for_reset());
}

TEST_F(ServerLimitsTest, CutsAClientThatReadsSlowly) {
  publish_huge_page();
  start({512, kLong, kShort, kLong});
  const SocketClient client = connect_busy();
  const auto begin = Clock::now();
  char byte = 0;
  while (::recv(client.fd(), &byte, 1, 0) == 1 && Clock::now() - begin < kLong) {
  }
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(ServerLimitsTest, CutsSlowReadersOfAUnixSocketToo) {
  publish_huge_page();
  const std::string path = testing::TempDir() + "limits" + std::to_string(::getpid()) + ".sock";
  start({512, kLong, kShort, kLong}, {{}, 0, path});
  const SocketClient client = connect_busy();
  EXPECT_TRUE(client.wait_for_reset());
}

TEST_F(ServerLimitsTest, MakesRoomAtTheExpenseOfTheLongestIdle) {
  ServerLimits limits = kNoDeadlines;
  limits.max_connections = 3;
  start(limits);
  SocketClient first = connect();
  SocketClient second = connect();
  SocketClient third = connect();
  EXPECT_EQ(first.get("/metrics")->status, 200);
  EXPECT_EQ(second.get("/metrics")->status, 200);
  EXPECT_EQ(third.get("/metrics")->status, 200);
  EXPECT_EQ(first.get("/metrics")->status, 200);

  SocketClient fourth = connect();
  EXPECT_EQ(fourth.get("/metrics")->status, 200);
  EXPECT_TRUE(second.wait_for_end());
  EXPECT_EQ(first.get("/metrics")->status, 200);
  EXPECT_EQ(third.get("/metrics")->status, 200);
}

TEST_F(ServerLimitsTest, CountsAnUnfinishedHeaderAsIdle) {
  ServerLimits limits = kNoDeadlines;
  limits.max_connections = 2;
  start(limits);
  SocketClient unfinished = connect();
  unfinished.send("GET /metrics HTTP/1.1\r\n");
  SocketClient other = connect();
  EXPECT_EQ(other.get("/metrics")->status, 200);
  EXPECT_EQ(connect().get("/metrics")->status, 200);
  EXPECT_TRUE(unfinished.wait_for_end());
  EXPECT_EQ(other.get("/metrics")->status, 200);
}

TEST_F(ServerLimitsTest, TurnsANewConnectionAwayIfNoneIsIdle) {
  publish_huge_page();
  ServerLimits limits = kNoDeadlines;
  limits.max_connections = 2;
  start(limits);
  {
    const SocketClient first = connect_busy();
    const SocketClient second = connect_busy();
    SocketClient third = connect();
    EXPECT_TRUE(third.wait_for_end());
  }
  // Those two are gone as soon as the server notices; until then newcomers are turned away.
  const auto begin = Clock::now();
  bool served = false;
  while (!served && Clock::now() - begin < std::chrono::seconds(20)) {
    served = connect().get("/metrics").has_value();
  }
  EXPECT_TRUE(served);
}

/// Raises the soft limit of descriptors if need be; false if the hard one is lower.
bool allow_descriptors(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < count) return false;
  limit.rlim_cur = std::max(limit.rlim_cur, count);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

TEST_F(ServerLimitsTest, ServesAtOnceAmongAThousandIdleConnections) {
  if (!allow_descriptors(2 * kIdle + 200)) GTEST_SKIP() << "the limit of descriptors is too low";
  ServerLimits limits = kNoDeadlines;
  limits.max_connections = 2 * kIdle;
  start(limits);
  std::vector<SocketClient> idle;
  idle.reserve(kIdle);
  for (std::size_t i = 0; i < kIdle; ++i) {
    idle.push_back(connect());
    ASSERT_TRUE(idle.back().connected());
    if (i % 2 == 0) idle.back().send("GET /metrics HTTP/1.1\r\nX: ");
  }
  // The first scrape also waits for the accepts; of the others the machine may delay one, not all.
  Clock::duration fastest = Clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    const auto begin = Clock::now();
    EXPECT_EQ(connect().get("/metrics")->status, 200);
    fastest = std::min(fastest, Clock::now() - begin);
  }
  EXPECT_LT(fastest, milliseconds(100));
}

TEST_F(ServerLimitsTest, ServesAFloodOfConnectionsBeyondTheLimit) {
  ServerLimits limits = kNoDeadlines;
  limits.max_connections = 8;
  start(limits);
  std::vector<SocketClient> silent;
  silent.reserve(200);
  for (int i = 0; i < 200; ++i) silent.push_back(connect());
  EXPECT_EQ(connect().get("/metrics")->status, 200);
  EXPECT_TRUE(silent.front().wait_for_end());
}

TEST_F(ServerLimitsTest, StopsAtOnceWithOpenConnections) {
  publish_huge_page();
  start(kNoDeadlines);
  SocketClient silent = connect();
  SocketClient unfinished = connect();
  unfinished.send("GET /metrics HTTP/1.1\r\n");
  SocketClient kept = connect();
  EXPECT_EQ(kept.get("/metrics")->status, 200);
  const SocketClient busy = connect_busy();

  const auto begin = Clock::now();
  server_->stop();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(1));
  EXPECT_TRUE(silent.wait_for_end());
  EXPECT_TRUE(unfinished.wait_for_end());
  EXPECT_TRUE(kept.wait_for_end());
  EXPECT_TRUE(busy.wait_for_reset());
  EXPECT_FALSE(connect().connected());
  server_->stop();
}

TEST_F(ServerLimitsTest, StartsAndStopsAgainAndAgain) {
  for (int i = 0; i < 50; ++i) {
    start();
    const SocketClient client = connect();
    client.send(kGet);
    server_.reset();
  }
}

/// Log lines, to be waited for.
class LogLines {
 public:
  Log::Sink sink() {
    return [this](std::string_view line) {
      const std::scoped_lock lock(mutex_);
      lines_.emplace_back(line);
      changed_.notify_all();
    };
  }

  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return !lines_.empty(); });
  }

  std::vector<std::string> lines() {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// As long as it lives, the process gets one more descriptor and no other.
class OneMoreDescriptor {
 public:
  OneMoreDescriptor() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest_free) + 1;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  OneMoreDescriptor(const OneMoreDescriptor&) = delete;
  OneMoreDescriptor& operator=(const OneMoreDescriptor&) = delete;
  OneMoreDescriptor(OneMoreDescriptor&&) = delete;
  OneMoreDescriptor& operator=(OneMoreDescriptor&&) = delete;
  ~OneMoreDescriptor() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ServerLimitsTest, LetsAnIdleConnectionGiveWayForLackOfDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UndefinedBehaviorSanitizer, on in the same build, needs descriptors itself";
#endif
  start();
  SocketClient early = connect();
  EXPECT_EQ(early.get("/metrics")->status, 200);

  const OneMoreDescriptor limit;
  SocketClient late = connect();
  ASSERT_TRUE(late.connected());
  EXPECT_EQ(late.get("/metrics")->status, 200) << "an idle client has starved a scrape";
  EXPECT_TRUE(early.wait_for_end());
}

TEST_F(ServerLimitsTest, GoesOnWhenAcceptsFail) {
  LogLines log_lines;
  log_ = Log(LogLevel::kInfo, LogFormat::kLogfmt, log_lines.sink());
  std::vector<Listener> listeners;
  listeners.push_back(std::move(*listen_on({"127.0.0.1", 0, {}})));
  const int fd = listeners.front().release();
  const int same_socket = ::dup(fd);
  listeners.front() = std::move(*adopt_listener(fd));
  const Server server(std::move(listeners), handler_, web_, {}, log_);

  ASSERT_EQ(::shutdown(same_socket, SHUT_RDWR), 0);
  ASSERT_TRUE(log_lines.wait());
  ASSERT_EQ(::listen(same_socket, SOMAXCONN), 0);
  const auto listening_again = adopt_listener(same_socket);
  ASSERT_TRUE(listening_again);
  EXPECT_EQ(SocketClient(listening_again->address()).get("/metrics")->status, 200);
  EXPECT_THAT(log_lines.lines(), ElementsAre(HasSubstr("Invalid argument")));
}

}  // namespace
}  // namespace timewait::test
