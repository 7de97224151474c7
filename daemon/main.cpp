#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

#include "daemon/command_line.h"
#include "daemon/configuration.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/service.h"
#include "daemon/service_manager.h"
#include "daemon/signals.h"
#include "daemon/version.h"

namespace timewait {
namespace {

constexpr int kFailure = 1;
constexpr int kBadConfiguration = 2;

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

int serve(const CommandLine& flags, Configuration configuration, const Log& log) {
  block_reload_signal();
  log.info("starting timewait_exporter",
           {{"version", std::string(kVersion)}, {"revision", std::string(kRevision)}});
  auto manager = ServiceManager::from_environment(environ);
  if (!manager) {
    log.warn("the service manager is not told how it goes", {{"err", manager.error()}});
    manager.emplace();
  }
  return Service(flags, std::move(configuration), log, *std::move(manager)).run();
}

int run(const CommandLine& flags) {
  if (flags.list_collectors) return print(render_collector_list());
  if (flags.list_metrics) return print(render_metric_list());

  Configuration configuration = read_configuration(flags, config::Occasion::kStart);
  for (const std::string& problem : configuration.problems) std::cerr << problem << '\n';
  if (!configuration.problems.empty()) return kBadConfiguration;
  if (flags.config_check) return EXIT_SUCCESS;

  const Log log(flags.log_level, flags.log_format);
  if (flags.once) return Service(flags, std::move(configuration), log, {}).print_once(std::cout);
  return serve(flags, std::move(configuration), log);
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
