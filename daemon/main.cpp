#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "collectors/findings.h"
#include "daemon/clock.h"
#include "daemon/command_line.h"
#include "daemon/http/listener.h"
#include "daemon/http/request_handler.h"
#include "daemon/http/server.h"
#include "daemon/http/web_config_file.h"
#include "daemon/http/web_settings.h"
#include "daemon/kernel/fixture_kernel.h"
#include "daemon/kernel/live_kernel.h"
#include "daemon/kernel/perf_ring.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/settings.h"
#include "daemon/signals.h"
#include "daemon/version.h"

namespace timewait {
namespace {

constexpr int kFailure = 1;
constexpr int kBadConfiguration = 2;

// A poll takes milliseconds, but a stop does not wait for one that hangs in the kernel.
constexpr std::chrono::milliseconds kStopPatience{700};

/// A standard stream that is closed would hand its descriptor to the next socket, and what is
/// printed or logged would go there.
void occupy_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
}

int print(const std::string& text) {
  std::cout << text << std::flush;
  return std::cout ? EXIT_SUCCESS : kFailure;
}

std::unique_ptr<Kernel> make_kernel(const CommandLine& flags) {
  if (flags.recording) return std::make_unique<FixtureKernel>(*flags.recording);
  return std::make_unique<LiveKernel>(flags.procfs, flags.sysfs);
}

std::vector<PolledCollector> make_collectors(const CommandLine& flags, const Settings& settings,
                                             const CollectorContext& context) {
  std::vector<PolledCollector> collectors;
  for (const CollectorSettings& collector : settings.collectors) {
    // A single poll has no next one to put off.
    const auto cpu_budget_ratio = flags.once ? std::nullopt : collector.cpu_budget_ratio;
    collectors.push_back(
        {collector.name, collector.make(context), collector.interval, cpu_budget_ratio});
  }
  return collectors;
}

void print_problems(const std::optional<std::filesystem::path>& named,
                    const config::Problems& problems) {
  const std::string file = named ? named->string() : "timewait_exporter";
  for (const config::Problem& problem : problems) {
    std::cerr << config::to_string(file, problem) << '\n';
  }
}

bool check_web_config(const CommandLine& flags) {
  if (!flags.web_config_file) return true;
  const auto problems = load_web_settings(*flags.web_config_file).problems;
  print_problems(flags.web_config_file, problems);
  return problems.empty();
}

/// Watches the web configuration file, if there is one; it has changed where that fails.
bool start_web_config(std::optional<WebConfigFile>& file, const CommandLine& flags,
                      WebSettingsStore& web, const Log& log) {
  if (!flags.web_config_file) return true;
  file.emplace(*flags.web_config_file, web, log);
  const config::Problems problems = file->reload();
  print_problems(flags.web_config_file, problems);
  if (!problems.empty()) return false;
  file->watch();
  return true;
}

tl::expected<std::vector<Listener>, std::string> open_listeners(const CommandLine& flags,
                                                                const Settings& settings) {
  if (flags.systemd_socket) return adopt_systemd_listeners(environ);
  std::vector<Listener> listeners;
  for (const config::ListenAddress& address : settings.web.listen_addresses) {
    auto listener = listen_on(address);
    if (!listener) return tl::make_unexpected(listener.error());
    listeners.push_back(*std::move(listener));
  }
  return listeners;
}

/// As many connections as the configuration asks for and the process has descriptors for.
std::size_t connection_limit(const Settings& settings, const Log& log) {
  // Listeners, the event loop, what a poll opens; and a perf event for each CPU.
  const rlim_t own = 32 + count_possible_cpus();
  const std::size_t wanted = settings.web.max_connections;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t spare = limit.rlim_cur > own ? limit.rlim_cur - own : 1;
  if (wanted <= spare) return wanted;
  log.warn("fewer connections than web.max_connections, for lack of file descriptors",
           {{"connections", std::to_string(spare)}});
  return spare;
}

int print_once(Poller& poller, const SnapshotStore& store) {
  poller.poll_due();
  const int printed = print(store.current()->text.plain);
  return poller.all_succeeded() ? printed : kFailure;
}

/// Polls on a thread of its own until the process is told to stop.
class PollingThread {
 public:
  explicit PollingThread(Poller& poller)
      : thread_([this, &poller](const std::stop_token& stop) {
          poller.run(stop);
          ended_.set_value();
        }) {}

  /// False if a poll hangs: then nothing that it uses may be destroyed.
  bool stop() {
    thread_.request_stop();
    return ended_.get_future().wait_for(kStopPatience) == std::future_status::ready;
  }

 private:
  std::promise<void> ended_;
  std::jthread thread_;
};

int serve(const CommandLine& flags, const Settings& settings, Poller& poller,
          const SnapshotStore& store, const Log& log) {
  poller.poll_due();
  // Not before the first poll: while nothing is open yet, a signal may end the process as it is.
  block_stop_signals();

  WebSettingsStore web;
  std::optional<WebConfigFile> web_config;
  if (!start_web_config(web_config, flags, web, log)) return kBadConfiguration;
  auto listeners = open_listeners(flags, settings);
  if (!listeners) {
    log.error(listeners.error());
    return kFailure;
  }
  for (const Listener& listener : *listeners) {
    log.info("listening",
             {{"address", listener.address()}, {"telemetry_path", settings.web.telemetry_path}});
  }
  const RequestHandler handler(store, settings.web.telemetry_path);
  ServerLimits limits;
  limits.max_connections = connection_limit(settings, log);
  Server server(*std::move(listeners), handler, web, limits, log);
  PollingThread polling(poller);

  log.info("stopping", {{"signal", wait_for_stop_signal()}});
  server.stop();
  if (!polling.stop()) {
    log.warn("a poll has not come back from the kernel; leaving it");
    std::_Exit(EXIT_SUCCESS);
  }
  return EXIT_SUCCESS;
}

int run(const CommandLine& flags) {
  if (flags.list_collectors) return print(render_collector_list());
  if (flags.list_metrics) return print(render_metric_list());

  const ResolvedSettings resolved = read_settings(flags);
  print_problems(flags.config_file, resolved.problems);
  if (!check_web_config(flags) || !resolved.problems.empty()) return kBadConfiguration;
  if (flags.config_check) return EXIT_SUCCESS;

  const Log log(flags.log_level, flags.log_format);
  const SystemClock clock;
  const std::unique_ptr<Kernel> kernel = make_kernel(flags);
  Findings findings;
  SnapshotStore store;
  Poller poller(make_collectors(flags, resolved.settings, {*kernel, findings}),
                resolved.settings.web.telemetry_path, clock, log, store);
  if (flags.once) return print_once(poller, store);
  log.info("starting timewait_exporter",
           {{"version", std::string(kVersion)}, {"revision", std::string(kRevision)}});
  return serve(flags, resolved.settings, poller, store, log);
}

}  // namespace
}  // namespace timewait

int main(int argc, char** argv) {
  try {
    timewait::occupy_standard_descriptors();
    const auto parsed = timewait::parse_command_line(argc, argv);
    if (const auto* exit = std::get_if<timewait::ExitNow>(&parsed)) return exit->status;
    return timewait::run(std::get<timewait::CommandLine>(parsed));
  } catch (const std::exception& error) {
    // Only what nobody can go on from comes here: no memory, no thread.
    std::cerr << "timewait_exporter: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
