#include "config/problem.h"

#include <algorithm>
#include <tuple>

namespace timewait::config {

void sort_by_place(Problems& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
}

std::string to_string(const std::string& file, const Problem& problem) {
  std::string text = file + ":";
  if (problem.place.line != 0) {
    text += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ":";
  }
  return text + " " + problem.message;
}

}  // namespace timewait::config
