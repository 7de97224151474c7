#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/error.h"

namespace timewait::parse {

/// Names and values of a text in which fields come and go with kernel versions, so that they are
/// found by name. Refers to the parsed text. A value is looked at when it is asked for: garbage in
/// one field spoils no other.
class Fields {
 public:
  /// The value of `name`: nothing where the text has no such field, an error where its value is not
  /// a number.
  Result<std::optional<std::uint64_t>> find(std::string_view name) const;

  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
};

}  // namespace timewait::parse
