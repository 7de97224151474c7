#pragma once

#include <memory>
#include <string>

#include "collectors/collector.h"
#include "collectors/findings.h"
#include "collectors/registry.h"
#include "config/load.h"
#include "config/option_reader.h"
#include "tests/support/exposition.h"

namespace timewait::test {

/// One poll's outcome.
struct Polled {
  Result<void> result;
  std::vector<Error> errors;
  std::vector<Error> notices;
  std::vector<Advice> advice;
  Samples samples;
};

inline Polled poll(Collector& collector, SteadyTime now = SteadyTime{std::chrono::hours{1}}) {
  CollectorOutput output;
  auto result = collector.collect(now, output);
  return {std::move(result), output.errors(), output.notices(), output.advice(),
          Samples(output.metrics.take())};
}

/// A registered collector with options as they would stand in its section, e.g. `extra: [a.b]`.
/// Problems with the options go to `problems`, and must not be there if that is null.
inline std::unique_ptr<Collector> make_collector(std::string_view name, Kernel& kernel,
                                                 const std::string& options = "",
                                                 config::Problems* problems = nullptr,
                                                 Findings* findings = nullptr) {
  const CollectorEntry* entry = find_collector(name);
  EXPECT_NE(entry, nullptr) << name;
  config::Loaded loaded =
      config::parse_config("collectors: {" + std::string(name) + ": {" + options + "}}");
  config::Problems found = loaded.problems;
  config::OptionReader reader(loaded.config.collectors.at(0).options,
                              "collectors." + std::string(name), found);
  CollectorFactory factory = entry->configure(reader);
  reader.reject_unknown();
  if (problems != nullptr) {
    *problems = found;
  } else {
    for (const auto& problem : found) ADD_FAILURE() << config::to_string("options", problem);
  }
  static Findings not_looked_at;
  return factory({kernel, findings != nullptr ? *findings : not_looked_at});
}

}  // namespace timewait::test
