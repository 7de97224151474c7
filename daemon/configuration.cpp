#include "daemon/configuration.h"

#include <filesystem>
#include <optional>
#include <utility>

namespace timewait {

namespace {

void render_problems(const std::optional<std::filesystem::path>& named,
                     const config::Problems& problems, std::vector<std::string>& lines) {
  const std::string file = named ? named->string() : "timewait_exporter";
  for (const config::Problem& problem : problems) {
    lines.push_back(config::to_string(file, problem));
  }
}

}  // namespace

Configuration read_configuration(const CommandLine& flags, config::Occasion occasion) {
  ResolvedSettings resolved = read_settings(flags, occasion);
  Configuration configuration{std::move(resolved.settings), std::nullopt, {}};
  render_problems(flags.config_file, resolved.problems, configuration.problems);
  if (flags.web_config_file) {
    configuration.web = load_web_settings(*flags.web_config_file, occasion);
    render_problems(flags.web_config_file, configuration.web->problems, configuration.problems);
  }
  return configuration;
}

}  // namespace timewait
