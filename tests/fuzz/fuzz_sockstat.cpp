// Input: the text of /proc/net/sockstat or /proc/net/sockstat6.

#include <string>
#include <tuple>

#include "collectors/parse/sockstat.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

auto values(const parse::Sockstat& sockstat) {
  return std::tuple(sockstat.tcp_in_use, sockstat.tcp_orphans, sockstat.tcp_time_wait,
                    sockstat.tcp_allocated, sockstat.tcp_memory_pages, sockstat.tcp6_in_use);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text({data, size}));
  const auto sockstat = parse::parse_sockstat(text);
  if (!sockstat) {
    fuzz::check(sockstat.error());
    return 0;
  }
  const auto longer = parse::parse_sockstat("sockets: used 1\n" + text + "\nUDP: inuse 7 mem 1\n");
  fuzz::require(longer && values(*longer) == values(*sockstat), "other lines make no difference");
  const auto rewritten = parse::parse_sockstat(text + "\nTCP: inuse 42\n");
  fuzz::require(rewritten && rewritten->tcp_in_use == 42, "a value can be read");
  return 0;
}
