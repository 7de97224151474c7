#include "config/value.h"

#include <algorithm>

namespace timewait::config {

namespace {

bool is_same_entry(const Entry& one, const Entry& other) {
  return one.key == other.key && has_same_content(one.value, other.value);
}

struct SameContent {
  bool operator()(std::monostate /*one*/, std::monostate /*other*/) const { return true; }
  bool operator()(const Scalar& one, const Scalar& other) const { return one == other; }
  bool operator()(const List& one, const List& other) const {
    return std::ranges::equal(one, other, has_same_content);
  }
  bool operator()(const Map& one, const Map& other) const {
    return std::ranges::equal(one, other, is_same_entry);
  }
  template <class One, class Other>
  bool operator()(const One& /*one*/, const Other& /*other*/) const {
    return false;
  }
};

}  // namespace

bool has_same_content(const Value& one, const Value& other) {
  return std::visit(SameContent{}, one.data, other.data);
}

}  // namespace timewait::config
