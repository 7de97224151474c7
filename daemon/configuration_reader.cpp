#include "daemon/configuration_reader.h"

#include <exception>
#include <string>
#include <thread>
#include <utility>

namespace timewait {

namespace {

Configuration unread(std::string problem) {
  Configuration configuration;
  configuration.problems.push_back(std::move(problem));
  return configuration;
}

}  // namespace

Configuration ConfigurationReader::read(std::chrono::milliseconds patience) {
  if (is_reading()) return unread("a file of the configuration still cannot be read to its end");
  try {
    std::packaged_task<Configuration()> task(
        [this] { return read_configuration(flags_, config::Occasion::kReload); });
    reading_ = task.get_future();
    std::thread(std::move(task)).detach();
    if (reading_.wait_for(patience) == std::future_status::ready) return reading_.get();
    return unread("a file of the configuration cannot be read to its end");
  } catch (const std::exception& error) {
    reading_ = {};
    return unread(std::string("the configuration cannot be read: ") + error.what());
  }
}

bool ConfigurationReader::is_reading() const {
  return reading_.valid() &&
         reading_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

}  // namespace timewait
