#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/problem.h"

namespace timewait::config {

struct Value;

struct Scalar {
  std::string text;
  bool quoted = false;  ///< a quoted "15" is text, not a number

  friend bool operator==(const Scalar&, const Scalar&) = default;
};

struct Entry;
using List = std::vector<Value>;
using Map = std::vector<Entry>;  ///< in the order of the file, keys are unique

/// A YAML value with its place, free of the YAML library.
struct Value {
  Place place;
  std::variant<std::monostate, Scalar, List, Map> data;
};

struct Entry {
  std::string key;
  Place place;
  Value value;
};

/// True if they say the same, wherever they stand; in mappings in the same order.
bool has_same_content(const Value& one, const Value& other);

}  // namespace timewait::config
