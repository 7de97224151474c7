#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/live/support/exporter.h"
#include "tests/support/exposition.h"

namespace timewait::test {

/// A daemon that polls every 50 ms if not told otherwise, whatever that costs, as its configuration
/// file says, and serves on a Unix socket, so that its scrapes are no TCP connections.
class PollingExporter {
 public:
  /// `sock_diag_option` is one of that collector: `top: 5`.
  explicit PollingExporter(std::string_view sock_diag_option = "",
                           std::vector<std::string> flags = {}, std::string_view interval = "50ms");
  PollingExporter(const PollingExporter&) = delete;
  PollingExporter& operator=(const PollingExporter&) = delete;
  PollingExporter(PollingExporter&&) = delete;
  PollingExporter& operator=(PollingExporter&&) = delete;
  ~PollingExporter();

  Samples get() const;

  /// Until a poll has begun and ended after this call.
  void wait_for_polls() const;

  const Exporter& process() const { return *exporter_; }

 private:
  std::string socket() const { return directory_ / "socket"; }

  std::filesystem::path directory_;
  ConfigFile config_;
  std::optional<Exporter> exporter_;
};

}  // namespace timewait::test
