// Input: the text of /proc/slabinfo.

#include <algorithm>
#include <string>
#include <vector>

#include "collectors/parse/slabinfo.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

const std::vector<std::string>& names() {
  static const std::vector<std::string> names{"tw_sock_TCP", "TCP", "tcp_bind_bucket"};
  return names;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text({data, size});
  const auto caches = parse::parse_slabinfo(text, names());
  if (!caches) {
    fuzz::check(caches.error());
    return 0;
  }
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  fuzz::require(caches->caches.size() + caches->problems.size() < lines,
                "every cache has a line below the heading");
  for (const parse::SlabCache& cache : caches->caches) {
    fuzz::require(std::ranges::find(names(), cache.name) != names().end(),
                  "only the caches that were asked for are found");
  }
  for (const Error& problem : caches->problems) fuzz::check(problem);
  const auto none = parse::parse_slabinfo(text, {});
  fuzz::require(none && none->caches.empty(), "no cache is found where none is asked for");
  fuzz::require(none->problems.size() == (text.empty() || text.ends_with('\n') ? 0 : 1),
                "what is cut off is told once");
  return 0;
}
