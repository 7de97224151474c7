#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/value.h"

namespace timewait::config {

/// A typed view of one mapping of the configuration. Each getter returns the value, or the default
/// where the key is absent or its value is wrong; what is wrong goes to `problems` with its place,
/// as `collectors.sock_diag.interval: expected a duration such as 15s, found "15"`. The reader
/// remembers the keys that were asked for: `reject_unknown` reports the others. Never throws.
class OptionReader {
 public:
  /// `section` is a mapping or null; anything else is a problem and reads as null. `name` is for
  /// the messages, e.g. `collectors.sock_diag`; empty for the whole configuration. `section` and
  /// `problems` outlive the reader.
  OptionReader(const Value& section, std::string_view name, Problems& problems);
  OptionReader(Value&& section, std::string_view name, Problems& problems) = delete;

  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                       std::int64_t most);
  double number(std::string_view key, double fallback, double least, double most);
  /// Any scalar but null, also an unquoted number or boolean.
  std::string text(std::string_view key, std::string_view fallback);
  std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback,
                                     std::chrono::milliseconds least,
                                     std::chrono::milliseconds most);
  /// A list of texts, possibly empty. Items that are no text are reported and left out.
  std::vector<std::string> list(std::string_view key, std::vector<std::string> fallback);

  /// The value below `key` as it stands, null where absent; for a reader of its own, which checks
  /// it.
  const Value& section(std::string_view key);
  /// The entries of the mapping below `key`, for sections whose keys are not known beforehand.
  const Map& entries(std::string_view key);

  /// Reports a value that has the right type but is wrong, at the place of the value. `message`
  /// does not name the key; text from the file goes into it by `in_quotes`.
  void reject(std::string_view key, std::string_view message);
  /// The same for one item of a list; `index` is its index in what `list` returned.
  void reject_item(std::string_view key, std::size_t index, std::string_view message);

  /// Reports every key that was never asked for, with the nearest known key where one is near. Call
  /// it once, after the last getter.
  void reject_unknown();

 private:
  const Value* lookup(std::string_view key) const;
  const Value* ask(std::string_view key);
  std::string path_to(std::string_view key) const;
  void add_problem(const Place& place, std::string_view path, std::string_view message);
  void report_wrong_value(std::string_view key, const Value& found, std::string_view expected);
  void report_no_mapping(std::string_view key, const Value& found, std::string_view expected);

  const Map* options_;
  Place place_;
  std::string name_;
  Problems* problems_;
  std::vector<std::string> asked_;
};

}  // namespace timewait::config
