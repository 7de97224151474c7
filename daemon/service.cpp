#include "daemon/service.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ostream>
#include <utility>

#include "daemon/kernel/fixture_kernel.h"
#include "daemon/kernel/live_kernel.h"
#include "daemon/kernel/perf_ring.h"
#include "daemon/signals.h"

namespace timewait {

namespace {

// A poll or the reading of a file takes milliseconds; one that hangs in the kernel keeps nobody
// from stopping the daemon, and is found out where the configuration is to change.
constexpr std::chrono::milliseconds kStopPatience{700};
constexpr std::chrono::seconds kReloadPatience{2};

std::unique_ptr<Kernel> make_kernel(const CommandLine& flags) {
  if (flags.recording) return std::make_unique<FixtureKernel>(*flags.recording);
  return std::make_unique<LiveKernel>(flags.procfs, flags.sysfs);
}

}  // namespace

Service::Service(const CommandLine& flags, Configuration configuration, const Log& log,
                 ServiceManager manager)
    : flags_(flags),
      reader_(flags),
      settings_(std::move(configuration.settings)),
      log_(log),
      manager_(std::move(manager)),
      kernel_(make_kernel(flags)),
      poller_(make_collectors(settings_), settings_.web.telemetry_path, clock_, log_, store_,
              manager_),
      reloads_([main = ::pthread_self()] { ::pthread_kill(main, SIGHUP); }),
      handler_(store_, std::chrono::steady_clock::now,
               flags.enable_lifecycle ? &reloads_ : nullptr) {
  if (!configuration.web || flags.once) return;
  web_config_.emplace(*flags.web_config_file, web_, log_);
  web_config_->take(*std::move(configuration.web));
}

std::vector<PolledCollector> Service::make_collectors(const Settings& settings) {
  std::vector<PolledCollector> collectors;
  for (const CollectorSettings& collector : settings.collectors) {
    // A single poll has no next one to put off.
    const auto cpu_budget_ratio = flags_.once ? std::nullopt : collector.cpu_budget_ratio;
    collectors.push_back({collector.name, collector.make({*kernel_, findings_}), collector.interval,
                          cpu_budget_ratio, collector.options});
  }
  return collectors;
}

int Service::print_once(std::ostream& out) {
  poller_.poll_due();
  out << store_.current()->text.plain << std::flush;
  return out && poller_.all_succeeded() ? EXIT_SUCCESS : EXIT_FAILURE;
}

int Service::run() {
  poller_.poll_due();
  // Not before the first poll: while nothing is open yet, a signal may end the process as it is.
  block_stop_signals();
  if (auto served = serve(); !served) {
    log_.error(served.error());
    return EXIT_FAILURE;
  }
  polling_.emplace(poller_);
  manager_.notify_ready();
  wait_until_stopped();
  return stop();
}

tl::expected<void, std::string> Service::serve() {
  if (web_config_) web_config_->watch();
  if (flags_.systemd_socket) {
    auto adopted = adopt_systemd_listeners(environ);
    if (!adopted) return tl::make_unexpected(adopted.error());
    start_server(*std::move(adopted));
    return {};
  }
  auto change = listeners_.open(settings_.web.listen_addresses);
  if (!change) return tl::make_unexpected(change.error());
  start_server(std::move(change->opened));
  listeners_.commit();
  return {};
}

void Service::start_server(std::vector<Listener> listeners) {
  log_listening(listeners);
  ServerLimits limits;
  limits.max_connections = connection_limit();
  server_.emplace(std::move(listeners), handler_, web_, limits, log_);
}

void Service::log_listening(const std::vector<Listener>& listeners) const {
  for (const Listener& listener : listeners) {
    log_.info("listening",
              {{"address", listener.address()}, {"telemetry_path", settings_.web.telemetry_path}});
  }
}

void Service::wait_until_stopped() {
  for (;;) {
    const Signal signal = wait_for_signal();
    if (signal == Signal::kHangUp) {
      reload();
      continue;
    }
    log_.info("stopping", {{"signal", std::string(to_string(signal))}});
    return;
  }
}

int Service::stop() {
  manager_.notify_stopping();
  reloads_.close();
  server_->stop();
  if (!polling_->stop(kStopPatience)) {
    log_.warn("a poll has not come back from the kernel; leaving it");
    std::_Exit(EXIT_SUCCESS);
  }
  if (web_config_ && !web_config_->stop(kStopPatience)) {
    log_.warn("the web configuration has not been read to its end; leaving it");
    std::_Exit(EXIT_SUCCESS);
  }
  if (reader_.is_reading()) {
    log_.warn("the configuration has not been read to its end; leaving it");
    std::_Exit(EXIT_SUCCESS);
  }
  return EXIT_SUCCESS;
}

void Service::reload() {
  manager_.notify_reloading();
  std::vector<Responder> waiting = reloads_.take();
  const std::vector<std::string> problems = apply(reader_.read(kReloadPatience));
  for (const std::string& problem : problems) {
    log_.error("configuration not reloaded, the last one stays", {{"err", problem}});
  }
  if (problems.empty()) {
    log_.info("configuration reloaded");
    ::malloc_trim(0);  // the tables of collectors that have gone lay among what stays
  } else {
    polling_->call([this] { poller_.note_bad_config(); }, kReloadPatience);
  }
  answer_all(std::move(waiting), problems);
  manager_.notify_ready();
}

std::vector<std::string> Service::apply(Configuration configuration) {
  if (!configuration.problems.empty()) return std::move(configuration.problems);
  ListenerChange change;
  if (!flags_.systemd_socket) {
    auto opened = listeners_.open(configuration.settings.web.listen_addresses);
    if (!opened) return {opened.error()};
    change = *std::move(opened);
  }
  const auto reconfigure = [this, settings = configuration.settings] {
    poller_.reconfigure(make_collectors(settings), settings.web.telemetry_path);
  };
  if (!polling_->call(reconfigure, kReloadPatience)) {
    return {"a poll has not come back from the kernel"};
  }
  settings_ = std::move(configuration.settings);
  if (web_config_) web_config_->take(*std::move(configuration.web));
  log_listening(change.opened);
  server_->reconfigure(std::move(change), connection_limit(), kReloadPatience);
  if (!flags_.systemd_socket) listeners_.commit();
  return {};
}

std::size_t Service::connection_limit() const {
  // Listeners, the event loop, what a poll opens; and a perf event for each CPU.
  const rlim_t own = 32 + count_possible_cpus();
  const std::size_t wanted = settings_.web.max_connections;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t spare = limit.rlim_cur > own ? limit.rlim_cur - own : 1;
  if (wanted <= spare) return wanted;
  log_.warn("fewer connections than web.max_connections, for lack of file descriptors",
            {{"connections", std::to_string(spare)}});
  return spare;
}

}  // namespace timewait
