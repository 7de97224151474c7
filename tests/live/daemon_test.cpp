#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/connection.h"
#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/http.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/polling_exporter.h"
#include "tests/live/support/wait.h"

namespace timewait::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

const std::string kAddress = "127.0.0.1:10060";

Endpoint exporter_endpoint() { return {"127.0.0.1", 10060}; }

std::string get_metrics() { return http_get(open_connected(exporter_endpoint()), "/metrics"); }

void wait_until_serving() {
  wait_until("the exporter to listen", [] { return count_in_proc(KernelState::kListen) == 1; });
}

/// Scrapes on a thread of its own until a scrape fails.
class Scraper {
 public:
  Scraper() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  int scrapes() const { return scrapes_; }

 private:
  void run(const std::stop_token& stop) {
    try {
      while (!stop.stop_requested() && !get_metrics().empty()) ++scrapes_;
    } catch (const std::system_error&) {
      // Refused: the exporter is gone.
    }
  }

  std::atomic<int> scrapes_ = 0;
  std::jthread thread_;
};

class DaemonProcess : public NetworkNamespaceTest {
 protected:
  static void expect_prompt_end_by(int signal) {
    Exporter exporter({"--web.listen-address=" + kAddress});
    wait_until_serving();
    const FileDescriptor silent = open_connected(exporter_endpoint());
    const Scraper first;
    const Scraper second;
    wait_until("scrapes", [&] { return first.scrapes() > 3 && second.scrapes() > 3; });

    const auto start = SteadyClock::now();
    exporter.send_signal(signal);
    EXPECT_EQ(exporter.wait(), 0) << exporter.standard_error();
    EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(1));
  }
};

TEST_F(DaemonProcess, EndsWithStatus0WithinASecondOfSigtermWhileItIsScraped) {
  expect_prompt_end_by(SIGTERM);
}

TEST_F(DaemonProcess, EndsWithStatus0WithinASecondOfSigintWhileItIsScraped) {
  expect_prompt_end_by(SIGINT);
}

TEST_F(DaemonProcess, SaysInOneLineThatItsPortIsTakenAndExitsWithStatus1) {
  const Exporter first({"--web.listen-address=" + kAddress});
  wait_until_serving();
  Exporter second({"--web.listen-address=" + kAddress, "--log.level=error"});
  EXPECT_EQ(second.wait(), 1);
  const std::string log = second.standard_error();
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_NE(log.find(kAddress + ": Address already in use"), std::string::npos) << log;
  EXPECT_FALSE(get_metrics().empty()) << "the first one goes on";
}

class PollingDaemon : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (has_namespace()) exporter_.emplace();
  }

  Samples get() const { return exporter_->get(); }
  void wait_for_polls() const { exporter_->wait_for_polls(); }

 private:
  std::optional<PollingExporter> exporter_;
};

TEST_F(PollingDaemon, PublishesNewSnapshotsAtTheConfiguredInterval) {
  const std::string polls = "timewait_exporter_polls_total";
  const std::string timestamp = "timewait_exporter_snapshot_timestamp_seconds";
  const Samples first = get();
  Samples last = first;
  const auto rise = [&](const std::string& series) {
    return value_of(last, series) - value_of(first, series);
  };
  wait_until(
      "ten polls",
      [&] {
        last = get();
        return rise(polls) >= 10;
      },
      std::chrono::seconds(5));
  EXPECT_GE(rise(timestamp), (rise(polls) - 1) * 0.05) << "polls come faster than configured";
}

TEST_F(PollingDaemon, FollowsTheSocketsThatComeAndGo) {
  wait_for_polls();
  EXPECT_TRUE(has_sockets(get(), {}));
  {
    const Service service(ipv6_addressing());
    const auto connections = service.connect(2);
    wait_for_polls();
    EXPECT_TRUE(has_sockets(get(), {{{"ipv6", "listen"}, 1}, {{"ipv6", "established"}, 4}}));
    for (const Connection& connection : connections) reset_on_close(connection.client);
  }
  wait_for_polls();
  EXPECT_TRUE(has_sockets(get(), {}));
}

TEST_F(PollingDaemon, RemembersAListenerThatIsGoneForTheRoleOfItsTimeWaits) {
  std::optional<Service> service(std::in_place, ipv4_addressing());
  for (Connection& connection : service->connect(2)) close_server_first(connection);
  wait_for_count(KernelState::kTimeWait, 2);
  wait_for_polls();
  service.reset();
  wait_for_polls();
  const Samples samples = get();
  EXPECT_TRUE(has_sockets(samples, {{{"ipv4", "time_wait"}, 2}}));
  EXPECT_TRUE(has_value(samples, of_self("timewait_time_wait_sockets", "role=\"server\""), 2));
  EXPECT_TRUE(has_value(samples, of_self("timewait_time_wait_sockets", "role=\"client\""), 0));
}

}  // namespace
}  // namespace timewait::test
