#include "daemon/configuration_reader.h"

#include <exception>
#include <filesystem>
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

bool is_web_blank(const Configuration& configuration) {
  return configuration.web && configuration.web->is_blank;
}

std::string became_blank(const std::filesystem::path& file) {
  return file.string() + ": is empty, and was not; a comment in it would stand for the defaults";
}

}  // namespace

ConfigurationReader::ConfigurationReader(const CommandLine& flags, const Configuration& first)
    : flags_(flags), config_was_blank_(first.is_blank), web_was_blank_(is_web_blank(first)) {}

Configuration ConfigurationReader::read(std::chrono::milliseconds patience) {
  if (is_reading()) return unread("a file of the configuration still cannot be read to its end");
  try {
    std::packaged_task<Configuration()> task(
        [this] { return read_configuration(flags_, config::Pipes::kRefused); });
    reading_ = task.get_future();
    std::thread(std::move(task)).detach();
    if (reading_.wait_for(patience) == std::future_status::ready) {
      Configuration configuration = reading_.get();
      reject_what_became_blank(configuration);
      return configuration;
    }
  } catch (const std::exception& error) {
    reading_ = {};
    return unread(std::string("the configuration cannot be read: ") + error.what());
  }
  return unread("a file of the configuration cannot be read to its end");
}

bool ConfigurationReader::is_reading() const {
  return reading_.valid() &&
         reading_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void ConfigurationReader::reject_what_became_blank(Configuration& configuration) {
  if (configuration.is_blank && !config_was_blank_) {
    configuration.problems.push_back(became_blank(*flags_.config_file));
  }
  if (is_web_blank(configuration) && !web_was_blank_) {
    configuration.problems.push_back(became_blank(*flags_.web_config_file));
  }
  if (!configuration.problems.empty()) return;
  config_was_blank_ = configuration.is_blank;
  web_was_blank_ = is_web_blank(configuration);
}

}  // namespace timewait
