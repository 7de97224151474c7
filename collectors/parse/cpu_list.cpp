#include "collectors/parse/cpu_list.h"

#include "collectors/parse/range_list.h"

namespace timewait::parse {

Result<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text) {
  std::vector<std::uint32_t> cpus;
  bool rises = true;
  const auto on_range = [&](std::uint16_t first, std::uint16_t last) {
    // What overlaps would let a short text ask for any number of them.
    rises = rises && (cpus.empty() || cpus.back() < first);
    for (std::uint32_t cpu = first; rises && cpu <= last; ++cpu) cpus.push_back(cpu);
  };
  const auto parsed = parse_range_list(text, "a CPU or a range of CPUs", on_range);
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (!rises) return malformed("expected CPUs in rising order");
  if (cpus.empty()) return malformed("expected a CPU or a range of CPUs, found nothing");
  return cpus;
}

}  // namespace timewait::parse
