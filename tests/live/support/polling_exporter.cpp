#include "tests/live/support/polling_exporter.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/expectations.h"
#include "tests/live/support/http.h"
#include "tests/live/support/wait.h"

namespace timewait::test {

namespace {

std::string write_config(std::string_view sock_diag_option, std::string_view interval) {
  const std::string collector = "collectors:\n  sock_diag:\n    cpu_budget_ratio: 1\n";
  return "interval: " + std::string(interval) + "\n" + collector + "    " +
         std::string(sock_diag_option) + "\n";
}

}  // namespace

PollingExporter::PollingExporter(std::string_view sock_diag_option, std::vector<std::string> flags,
                                 std::string_view interval)
    : directory_(std::filesystem::path(::testing::TempDir()) /
                 ("timewait_live." + std::to_string(::getpid()))),
      config_(write_config(sock_diag_option, interval)) {
  std::filesystem::create_directory(directory_);
  flags.push_back(config_.flag());
  flags.push_back("--web.listen-address=unix:" + socket());
  exporter_.emplace(flags);
}

PollingExporter::~PollingExporter() {
  exporter_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Samples PollingExporter::get() const {
  std::string body;
  wait_until("a scrape by " + socket() + "; " + exporter_->standard_error(), [&] {
    const FileDescriptor connection = connect_to_unix_socket(socket());
    if (connection.is_open()) body = http_get(connection, "/metrics");
    return !body.empty();
  });
  return Samples(body);
}

void PollingExporter::wait_for_polls() const {
  const auto polls = [&] { return value_of(get(), "timewait_exporter_polls_total"); };
  const double before = polls();
  wait_until("two polls, of which the first may have begun before",
             [&] { return polls() >= before + 2; });
}

}  // namespace timewait::test
