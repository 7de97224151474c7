// Input: the text of a file of /proc/sys, or of a list of CPUs in /sys.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "collectors/parse/cpu_list.h"
#include "collectors/parse/sysctl.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

void check_numbers(std::string_view text) {
  const auto numbers = parse::parse_sysctl_numbers(text);
  if (!numbers) return fuzz::check(numbers.error());
  fuzz::require(!numbers->empty() && numbers->size() <= 8, "there are one to eight numbers");
  std::string again;
  for (const std::int64_t number : *numbers) again += std::to_string(number) + "\t";
  fuzz::require(parse::parse_sysctl_numbers(again) == *numbers, "numbers can be read back");
}

void check_port_range(std::string_view text) {
  const auto range = parse::parse_port_range(text);
  if (!range) return fuzz::check(range.error());
  fuzz::require(range->low <= range->high, "a range rises");
  const EphemeralPorts ports = compute_ephemeral_ports(*range, {});
  fuzz::require(ports.capacity.size() == range->high - range->low + std::size_t{1},
                "a range holds both of its ends");
  const std::string again = std::to_string(range->low) + "\t" + std::to_string(range->high) + "\n";
  fuzz::require(parse::parse_port_range(again) == *range, "a range can be read back");
}

void check_port_list(std::string_view text) {
  const auto ports = parse::parse_port_list(text);
  if (!ports) return fuzz::check(ports.error());
  std::string again;
  for (std::uint32_t port = 0; port <= 65535; ++port) {
    if (!ports->contains(static_cast<std::uint16_t>(port))) continue;
    again += (again.empty() ? "" : ",") + std::to_string(port);
  }
  fuzz::require(parse::parse_port_list(again + "\n") == *ports, "a list can be read back");
}

void check_cpu_list(std::string_view text) {
  const auto cpus = parse::parse_cpu_list(text);
  if (!cpus) return fuzz::check(cpus.error());
  fuzz::require(!cpus->empty() && cpus->size() <= 65536, "CPUs are bounded");
  fuzz::require(std::ranges::adjacent_find(*cpus, std::greater_equal<>()) == cpus->end(),
                "CPUs rise");
}

void check_kernel_release(std::string_view text) {
  const auto release = parse::parse_kernel_release(text);
  if (!release) return fuzz::check(release.error());
  const std::string again = std::to_string(release->major) + "." + std::to_string(release->minor);
  fuzz::require(parse::parse_kernel_release(again) == *release, "a release can be read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text({data, size});
  check_numbers(text);
  check_port_range(text);
  check_port_list(text);
  check_cpu_list(text);
  check_kernel_release(text);
  return 0;
}
