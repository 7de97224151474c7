// timewait_bench: the parts of the benchmark that are to be fast, for benchmark.py.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tests/bench/bare_walk.h"
#include "tests/bench/bench_namespace.h"
#include "tests/bench/collector_poll.h"
#include "tests/bench/connect_cost.h"
#include "tests/bench/scrape_client.h"
#include "tests/bench/time_wait_sockets.h"

namespace timewait::bench {

namespace {

constexpr int kUsageError = 2;
/// What ctest takes for "cannot be tested here".
constexpr int kNoNamespace = 77;

constexpr std::string_view kUsage = R"(usage:
  timewait_bench enter COMMAND [ARGUMENT...]  runs the command in a network namespace for the benchmark
  timewait_bench hold      reads "SOCKETS TUPLES SECONDS" lines: that many TIME-WAIT sockets, which will
                           not expire for so long; answers each line when they are there
  timewait_bench measure   reads "walk", "walk_bound_inactive" and "poll" lines; answers each with what it
                           cost
  timewait_bench poll COUNT                   polls so many times, for a profiler
  timewait_bench scrape PORT identity|gzip DURATION INTERVAL
                           scrapes for so many milliseconds over one connection, every so many or, with 0,
                           without a pause
  timewait_bench connects TRACEFS ROUNDS CONNECTIONS
                           what counting failed connects adds to those that succeed, in so many rounds of
                           so many connections
Answers are JSON, one a line.
)";

using Arguments = std::vector<std::string>;

std::size_t parse_number(const std::string& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: " + text);
  }
  return number;
}

std::chrono::microseconds cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto sum = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return sum(usage.ru_utime) + sum(usage.ru_stime);
}

void answer_measurement(std::chrono::microseconds cpu, std::size_t time_wait) {
  std::cout << R"({"cpu_microseconds": )" << cpu.count() << R"(, "time_wait": )" << time_wait << "}"
            << std::endl;
}

int enter(const Arguments& command) {
  if (command.empty()) throw std::invalid_argument("enter: a command is missing");
  if (const auto entered = enter_bench_namespace(); !entered) {
    std::cerr << "timewait_bench: no network namespace: " << entered.error() << '\n';
    return kNoNamespace;
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  throw std::system_error(errno, std::generic_category(), command.front());
}

int hold(const Arguments& /*none*/) {
  TimeWaitSockets sockets;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    Population wanted;
    std::chrono::seconds::rep steady = 0;
    if (!(words >> wanted.sockets >> wanted.tuples >> steady)) {
      throw std::invalid_argument("hold: not three numbers: " + line);
    }
    sockets.hold(wanted, std::chrono::seconds(steady));
    std::cout << R"({"time_wait": )" << count_time_wait() << "}" << std::endl;
  }
  return 0;
}

int measure(const Arguments& /*none*/) {
  CollectorPoll collector;
  for (std::string line; std::getline(std::cin, line);) {
    const auto before = cpu_time();
    if (line == "walk" || line == "walk_bound_inactive") {
      const std::size_t count =
          count_by_walk(line == "walk" ? kConnectionsAndListeners : kEveryState);
      answer_measurement(cpu_time() - before, count);
    } else if (line == "poll") {
      CollectorOutput output = collector.poll();
      const auto cpu = cpu_time() - before;
      answer_measurement(cpu, time_wait_sockets(output));
    } else {
      throw std::invalid_argument("measure: unknown way: " + line);
    }
  }
  return 0;
}

int poll(const Arguments& arguments) {
  CollectorPoll collector;
  for (std::size_t left = parse_number(arguments.at(0)); left > 0; --left) collector.poll();
  return 0;
}

int scrape(const Arguments& arguments) {
  const ScrapeTarget target{.port = static_cast<std::uint16_t>(parse_number(arguments.at(0))),
                            .accepts_gzip = arguments.at(1) == "gzip"};
  const Pace pace{.duration = std::chrono::milliseconds(parse_number(arguments.at(2))),
                  .interval = std::chrono::milliseconds(parse_number(arguments.at(3)))};
  auto scrapes = bench::scrape(target, pace);
  auto& durations = scrapes.durations;
  const auto microseconds = [](auto duration) {
    return std::chrono::duration<double, std::micro>(duration).count();
  };
  std::ranges::sort(durations);
  std::cout << R"({"count": )" << durations.size()                                         //
            << R"(, "seconds": )" << std::chrono::duration<double>(scrapes.total).count()  //
            << R"(, "p50_microseconds": )" << microseconds(durations[durations.size() / 2])
            << R"(, "p99_microseconds": )" << microseconds(durations[durations.size() * 99 / 100])
            << R"(, "body_bytes": )" << scrapes.body_size << "}" << std::endl;
  return 0;
}

void print_added(std::string_view name, const Added& added) {
  std::cout << '"' << name << R"(": {"without": )" << added.without.count()  //
            << R"(, "added": )" << added.added.count()                       //
            << R"(, "lower_quartile": )" << added.lower_quartile.count()     //
            << R"(, "upper_quartile": )" << added.upper_quartile.count() << "}, ";
}

int connects(const Arguments& arguments) {
  const ConnectCost cost = measure_connect_cost(arguments.at(0), parse_number(arguments.at(1)),
                                                parse_number(arguments.at(2)));
  std::cout << '{';
  print_added("connection", cost.connection);
  print_added("firing", cost.firing);
  if (cost.instructions_without && cost.instructions_with) {
    std::cout << R"("instructions": [)" << *cost.instructions_without << ", "
              << *cost.instructions_with << "], ";
  }
  std::cout << R"("per_second": [)" << cost.connections_per_second_without << ", "
            << cost.connections_per_second_with << "], "
            << R"("firings": )" << cost.firings_per_connection << '}' << std::endl;
  return 0;
}

struct Command {
  std::string_view name;
  std::size_t least_arguments;
  int (*run)(const Arguments&);
};

constexpr std::array kCommands{Command{"enter", 1, enter},     Command{"hold", 0, hold},
                               Command{"measure", 0, measure}, Command{"poll", 1, poll},
                               Command{"scrape", 4, scrape},   Command{"connects", 3, connects}};

int run(const Arguments& words) {
  const auto command = std::ranges::find_if(
      kCommands, [&](const Command& each) { return !words.empty() && each.name == words.front(); });
  if (command == kCommands.end() || words.size() - 1 < command->least_arguments) {
    std::cerr << kUsage;
    return kUsageError;
  }
  return command->run({words.begin() + 1, words.end()});
}

}  // namespace

}  // namespace timewait::bench

int main(int argc, char** argv) {
  try {
    return timewait::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "timewait_bench: " << error.what() << '\n';
    return 1;
  }
}
