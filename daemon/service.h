#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "collectors/findings.h"
#include "collectors/kernel.h"
#include "daemon/clock.h"
#include "daemon/command_line.h"
#include "daemon/configuration.h"
#include "daemon/configuration_reader.h"
#include "daemon/http/open_listeners.h"
#include "daemon/http/reload_requests.h"
#include "daemon/http/request_handler.h"
#include "daemon/http/server.h"
#include "daemon/http/web_config_file.h"
#include "daemon/http/web_settings.h"
#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/polling_thread.h"
#include "daemon/service_manager.h"
#include "daemon/settings.h"
#include "daemon/snapshot.h"

namespace timewait {

/// The whole daemon at work, put together by the flags and a configuration without problems. All
/// calls come from the main thread.
class Service {
 public:
  /// The log outlives the service.
  Service(const CommandLine& flags, Configuration configuration, const Log& log,
          ServiceManager manager);

  /// Polls once and prints the exposition; gives the exit status.
  int print_once(std::ostream& out);

  /// Polls and serves until a signal ends it, and reads the configuration again at each SIGHUP;
  /// gives the exit status.
  int run();

 private:
  std::vector<PolledCollector> make_collectors(const Settings& settings);
  tl::expected<void, std::string> serve();
  void start_server(std::vector<Listener> listeners);
  void log_listening(const std::vector<Listener>& listeners) const;
  /// As many connections as the configuration asks for and the process has descriptors for.
  std::size_t connection_limit() const;
  void wait_until_stopped();
  int stop();
  void reload();
  /// All or nothing: gives a line for each thing that is wrong, and leaves everything as it was
  /// then.
  std::vector<std::string> apply(Configuration configuration);

  const CommandLine& flags_;
  ConfigurationReader reader_;
  Settings settings_;
  const Log& log_;
  const ServiceManager manager_;
  const SystemClock clock_;
  const std::unique_ptr<Kernel> kernel_;
  Findings findings_;
  SnapshotStore store_;
  WebSettingsStore web_;
  std::optional<WebConfigFile> web_config_;
  Poller poller_;
  ReloadRequests reloads_;
  const RequestHandler handler_;
  OpenListeners listeners_;
  std::optional<Server> server_;
  std::optional<PollingThread> polling_;
};

}  // namespace timewait
