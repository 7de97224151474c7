#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace timewait {

/// The indices below `count` of the `limit` first ones in the order of `comes_before(index,
/// index)`, in that order. Needs memory for `limit` indices, not for all.
template <class ComesBefore>
std::vector<std::uint32_t> compute_top(std::size_t count, std::size_t limit,
                                       ComesBefore&& comes_before) {
  std::vector<std::uint32_t> top;  // a heap with the last of them at its head
  if (limit == 0) return top;
  for (std::uint32_t index = 0; index < count; ++index) {
    if (top.size() == limit) {
      if (!comes_before(index, top.front())) continue;
      std::ranges::pop_heap(top, comes_before);
      top.pop_back();
    }
    top.push_back(index);
    std::ranges::push_heap(top, comes_before);
  }
  std::ranges::sort_heap(top, comes_before);
  return top;
}

}  // namespace timewait
