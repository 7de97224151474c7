#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace timewait::config {

/// A place in the configuration file, counted from 1; 0 where there is none (a missing file).
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// One thing that is wrong with the configuration. All of them are gathered and told at once.
struct Problem {
  Place place;
  std::string message;
};

using Problems = std::vector<Problem>;

/// Puts the problems in the order of the file; those of one place keep their order.
void sort_by_place(Problems& problems);

/// `file:line:column: message`, as compilers write it; without a place, `file: message`.
std::string to_string(const std::string& file, const Problem& problem);

}  // namespace timewait::config
