#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/listen_address.h"
#include "config/value.h"

namespace timewait::config {

/// A typed view of one mapping of the configuration. Each getter returns the value, or the default
/// where the key is absent or its value is wrong; what is wrong goes to `problems` with its place.
/// The reader remembers the keys that were asked for: `reject_unknown` reports the others.
/// Never throws.
class OptionReader {
 public:
  /// `section` is a mapping or null; anything else is a problem. `name` is for the messages, e.g.
  /// `collectors.sock_diag`. Both and `problems` outlive the reader.
  OptionReader(const Value& section, std::string name, Problems& problems);

  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                       std::int64_t most);
  double number(std::string_view key, double fallback, double least, double most);
  std::string text(std::string_view key, std::string_view fallback);
  std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback,
                                     std::chrono::milliseconds least,
                                     std::chrono::milliseconds most);
  std::vector<std::string> list(std::string_view key, std::vector<std::string> fallback);

  /// The mapping below `key`, null where absent; for a reader of its own.
  const Value& section(std::string_view key);
  /// The entries of the mapping below `key`, for sections whose keys are not known beforehand.
  const Map& entries(std::string_view key);

  /// Reports a value that has the right type but is wrong, at the place of the value.
  void reject(std::string_view key, std::string message);
  /// The same for the item at `index` of a list.
  void reject_item(std::string_view key, std::size_t index, std::string message);

  /// Reports every key that was never asked for, with the nearest known key where one is near. Call it
  /// once, after the last getter.
  void reject_unknown();

  /// True if the file has the key.
  bool has(std::string_view key) const;

 private:
  const Value* find(std::string_view key);
  void add_problem(const Place& place, std::string message);

  const Value* section_;
  std::string name_;
  Problems* problems_;
  std::vector<std::string> asked_;
};

}  // namespace timewait::config
