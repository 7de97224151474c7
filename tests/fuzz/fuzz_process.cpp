// Input: the text of /proc/self/stat or /proc/stat.

#include <string>

#include "daemon/process_metrics.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

void check_process_stat(const std::string& text) {
  const auto stat = parse_process_stat(text);
  if (!stat) return;
  const auto renamed = parse_process_stat("1 (a ) b) S " + text);
  fuzz::require(renamed && renamed->cpu_ticks == stat->cpu_ticks &&
                    renamed->start_ticks == stat->start_ticks &&
                    renamed->virtual_bytes == stat->virtual_bytes &&
                    renamed->resident_pages == stat->resident_pages,
                "what stands before the last parenthesis makes no difference");
}

void check_boot_time(const std::string& text) {
  const auto boot_time = parse_boot_time(text);
  if (!boot_time) return;
  fuzz::require(parse_boot_time("cpu 1 2 3\nbtime" + std::string(" ") + std::to_string(*boot_time) +
                                "\n" + text) == boot_time,
                "the boot time can be read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text({data, size}));
  check_process_stat(text);
  check_boot_time(text);
  return 0;
}
