#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/duration.h"
#include "config/listen_address.h"
#include "config/load.h"
#include "config/option_reader.h"
#include "config/problem.h"

namespace {

using namespace timewait::config;

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "broken promise: " << what << '\n';
  std::abort();
}

/// Reads every key by the getter of every type: the values are of any type, whatever their name.
void read_all_types(const Value& section, const std::string& name, Problems& problems) {
  OptionReader reader(section, name, problems);
  for (const char* key : {"enabled", "interval", "extra_fields", "caches", "limit", "nested"}) {
    const auto integer = reader.integer(key, 5, 1, 10);
    require(integer >= 1 && integer <= 10, "an integer is within its bounds");
    const auto number = reader.number(key, 0.5, 0.0, 1.0);
    require(number >= 0.0 && number <= 1.0, "a number is within its bounds");
    const auto duration = reader.duration(key, kMinInterval, kMinInterval, kMaxInterval);
    require(duration >= kMinInterval && duration <= kMaxInterval,
            "a duration is within its bounds");
    require(parse_duration(to_string(duration)) == duration, "a duration can be read back");
    reader.boolean(key, true);
    reader.text(key, "default");
    const auto items = reader.list(key, {"a"});
    for (std::size_t i = 0; i <= items.size(); ++i) reader.reject_item(key, i, "rejected");
    reader.entries(key);
    OptionReader(reader.section(key), name + ".nested", problems).reject_unknown();
  }
  reader.reject_unknown();
}

void check(const Problems& problems) {
  for (const Problem& problem : problems) {
    for (const char c : to_string("file", problem)) {
      require(c >= ' ' && c <= '~', "a message is printable ASCII");
    }
    require(problem.message.size() < 500, "a message has a sane length");
  }
}

void check(const WebConfig& web) {
  require(!web.listen_addresses.empty(), "there is an address to listen on");
  for (const ListenAddress& address : web.listen_addresses) {
    require(parse_listen_address(to_string(address)) == address, "an address can be read back");
  }
  require(web.telemetry_path.starts_with('/'), "the path is absolute");
  require(web.max_connections >= 1, "a connection is allowed");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as characters.
  Loaded loaded = parse_config({reinterpret_cast<const char*>(data), size});
  check(loaded.problems);
  if (loaded.problems.empty()) check(loaded.config.web);
  for (const CollectorSection& collector : loaded.config.collectors) {
    read_all_types(collector.options, "collectors." + collector.name, loaded.problems);
  }
  sort_by_place(loaded.problems);
  check(loaded.problems);
  return 0;
}
