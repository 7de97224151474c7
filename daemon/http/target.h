#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace timewait {

struct QueryParameter {
  std::string name;
  std::string value;
  friend bool operator==(const QueryParameter&, const QueryParameter&) = default;
};

/// What a request asks for, percent-decoded: any byte may occur in it.
struct Target {
  std::string path;                   ///< starts with a slash
  std::vector<QueryParameter> query;  ///< in the order of the request

  /// The values of every parameter of that name.
  std::vector<std::string_view> values(std::string_view name) const;
};

/// Reads the origin form (`/path?query`) or the absolute form (`http://host/path?query`, whose host
/// is not looked at). The error says what is wrong and repeats nothing of the request.
tl::expected<Target, std::string> parse_target(std::string_view text);

}  // namespace timewait
