#include "collectors/parse/cpu_list.h"

#include "collectors/parse/range_list.h"

namespace timewait::parse {

Result<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text) {
  std::vector<std::uint32_t> cpus;
  const auto parsed = parse_range_list(text, "a CPU or a range of CPUs",
                                       [&](std::uint16_t first, std::uint16_t last) {
                                         for (std::uint32_t cpu = first; cpu <= last; ++cpu) {
                                           // Overlapping ranges would let a short text ask for any
                                           // number of them.
                                           if (cpus.empty() || cpus.back() < cpu)
                                             cpus.push_back(cpu);
                                         }
                                       });
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (cpus.empty()) return malformed("expected a CPU or a range of CPUs, found nothing");
  return cpus;
}

}  // namespace timewait::parse
