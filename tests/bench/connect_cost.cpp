#include "tests/bench/connect_cost.h"

#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/kernel.h"
#include "collectors/parse/connect_failure.h"
#include "collectors/parse/tracepoint_format.h"
#include "daemon/file_descriptor.h"
#include "daemon/kernel/files.h"
#include "daemon/kernel/perf_ring.h"

namespace timewait::bench {

namespace {

using Nanoseconds = Added::Nanoseconds;
using Events = std::vector<std::unique_ptr<PerfEvent>>;

/// Of this thread, user and system.
Nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void check(bool done, const char* what) {
  if (!done) fail(what);
}

void stay_on_this_cpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &cpus);
  check(::sched_setaffinity(0, sizeof(cpus), &cpus) == 0, "sched_setaffinity");
}

std::uint64_t read_tracepoint_id(const std::filesystem::path& tracefs) {
  const auto format =
      read_small_file(tracefs / "events" / std::string(parse::kConnectFailureEvent) / "format")
          .and_then([](const std::string& text) { return parse::parse_tracepoint_format(text); });
  if (!format) throw std::runtime_error(format.error().text());
  return format->id;
}

/// On every CPU, as the collector has them.
Events open_events(std::uint64_t id, const std::string& filter) {
  Events events;
  const unsigned cpus = std::max(std::thread::hardware_concurrency(), 1U);
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    auto event = open_perf_event({id, filter}, cpu);
    if (!event) throw std::runtime_error(event.error().text());
    events.push_back(*std::move(event));
  }
  return events;
}

/// Connections to one listener on every address of lo: each batch goes to another one, so that all
/// find a port at once.
class Connections {
 public:
  Connections() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    check(::bind(listener_.get(), any(), sizeof(address_)) == 0, "bind");
    check(::listen(listener_.get(), SOMAXCONN) == 0, "listen");
    socklen_t size = sizeof(address_);
    check(::getsockname(listener_.get(), any(), &size) == 0, "getsockname");
  }

  void make(std::size_t count) {
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK + ++destination_);
    for (; count > 0; --count) {
      const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      check(::connect(client.get(), any(), sizeof(address_)) == 0, "connect");
      const FileDescriptor server(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      check(server.is_open(), "accept");
      check(::shutdown(client.get(), SHUT_WR) == 0, "shutdown");
    }
  }

 private:
  sockaddr* any() { return reinterpret_cast<sockaddr*>(&address_); }

  sockaddr_in address_{};
  FileDescriptor listener_;
  std::uint32_t destination_ = 0;
};

/// Half of it fires the tracepoint once: CLOSE to LISTEN, LISTEN to CLOSE.
void change_state(const FileDescriptor& socket) {
  check(::listen(socket.get(), 1) == 0, "listen");
  check(::shutdown(socket.get(), SHUT_RD) == 0, "shutdown");
}

/// Instructions of this thread, kernel included; nothing where the machine does not count them.
class Instructions {
 public:
  Instructions() {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    counter_ = FileDescriptor(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  }

  std::optional<std::uint64_t> read() const {
    std::uint64_t count = 0;
    if (!counter_.is_open() || ::read(counter_.get(), &count, sizeof(count)) != sizeof(count)) {
      return std::nullopt;
    }
    return count;
  }

 private:
  FileDescriptor counter_;
};

double quantile(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Batches without and with the events by turns, which of them first changing as well.
class Comparison {
 public:
  Comparison(std::uint64_t id, std::size_t batch) : id_(id), batch_(batch) {}

  template <class Task>
  Added run(std::size_t rounds, Task task) {
    std::vector<double> without;
    std::vector<double> added;
    for (std::size_t round = 0; round < rounds; ++round) {
      std::array<double, 2> cost{};
      for (const std::size_t turn : {0U, 1U}) {
        const std::size_t with = (round + turn) % 2;
        cost[with] = measure(with == 1, task);
      }
      without.push_back(cost[0]);
      added.push_back(cost[1] - cost[0]);
    }
    return {Nanoseconds(quantile(without, 0.5)), Nanoseconds(quantile(added, 0.5)),
            Nanoseconds(quantile(added, 0.25)), Nanoseconds(quantile(added, 0.75))};
  }

  /// Of all batches, without and with.
  std::array<std::optional<std::uint64_t>, 2> instructions{0, 0};
  std::array<Nanoseconds, 2> elapsed{};

 private:
  template <class Task>
  double measure(bool with, Task task) {
    Events events;
    if (with) events = open_events(id_, std::string(parse::kConnectFailureFilter));
    // The kernel rewrites its code when the first event on a tracepoint comes or the last one goes.
    task(batch_ / 5 + 2);
    const auto instructions_before = counter_.read();
    const auto start = std::chrono::steady_clock::now();
    const Nanoseconds cpu_before = cpu_time();
    task(batch_);
    const Nanoseconds cpu = cpu_time() - cpu_before;
    elapsed[with ? 1 : 0] += std::chrono::steady_clock::now() - start;
    auto& sum = instructions[with ? 1 : 0];
    const auto instructions_after = counter_.read();
    sum = sum && instructions_before && instructions_after
              ? std::optional(*sum + *instructions_after - *instructions_before)
              : std::nullopt;
    return cpu.count() / static_cast<double>(batch_);
  }

  std::uint64_t id_;
  std::size_t batch_;
  Instructions counter_;
};

/// By an event that rejects none.
double count_firings(std::uint64_t id, std::size_t count, const std::function<void()>& task) {
  const Events events = open_events(id, "protocol==6");
  task();
  std::uint64_t firings = 0;
  for (const auto& event : events) firings += event->read_count()->firings;
  return static_cast<double>(firings) / static_cast<double>(count);
}

}  // namespace

ConnectCost measure_connect_cost(const std::filesystem::path& tracefs, std::size_t rounds,
                                 std::size_t connections) {
  constexpr std::size_t kFiringsOfAConnection = 10;
  const std::uint64_t id = read_tracepoint_id(tracefs);
  stay_on_this_cpu();
  ConnectCost cost;

  Connections made;
  made.make(connections);
  cost.firings_per_connection = count_firings(id, connections, [&] { made.make(connections); });
  Comparison of_connections(id, connections);
  cost.connection = of_connections.run(rounds, [&](std::size_t count) { made.make(count); });
  const auto all = static_cast<double>(rounds * connections);
  const auto per_second = [&](Nanoseconds elapsed) { return all / elapsed.count() * 1e9; };
  cost.connections_per_second_without = per_second(of_connections.elapsed[0]);
  cost.connections_per_second_with = per_second(of_connections.elapsed[1]);
  const auto per_connection = [&](std::optional<std::uint64_t> sum) {
    return sum ? std::optional(static_cast<double>(*sum) / all) : std::nullopt;
  };
  cost.instructions_without = per_connection(of_connections.instructions[0]);
  cost.instructions_with = per_connection(of_connections.instructions[1]);

  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Comparison of_firings(id, kFiringsOfAConnection * connections);
  cost.firing = of_firings.run(rounds, [&](std::size_t count) {
    for (; count > 1; count -= 2) change_state(socket);
  });
  return cost;
}

}  // namespace timewait::bench
