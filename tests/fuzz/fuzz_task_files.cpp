// Input: the text of /proc/PID/status, comm, cgroup or mountinfo.

#include <string>
#include <string_view>

#include "collectors/parse/mountinfo.h"
#include "collectors/parse/process.h"
#include "collectors/parse/text.h"
#include "tests/fuzz/target.h"

namespace {

using namespace timewait;

void check_status(std::string_view text) {
  const auto status = parse::parse_process_status(text);
  if (!status) return fuzz::check(status.error());
  fuzz::require(status->pid_namespaces <= text.size(), "a PID has a digit");
}

void check_name(std::string_view text) {
  const std::string name = parse::parse_process_name(text);
  fuzz::require(fuzz::is_printable(name), "a name is printable");
  fuzz::require(name.size() < fuzz::kSaneLength, "a name has a sane length");
}

void check_container(std::string_view text) {
  const auto container = parse::parse_container(text);
  if (!container) return;
  fuzz::require(container->size() == 12, "an id is shown by 12 digits");
  fuzz::require(container->find_first_not_of("0123456789abcdef") == std::string::npos,
                "an id is hexadecimal");
  fuzz::require(text.find(*container) != std::string_view::npos, "an id stands in the text");
}

void check_mounts(std::string_view text) {
  while (!text.empty()) {
    const auto mount = parse::parse_mount(parse::next_line(text));
    if (!mount) continue;
    fuzz::require(!mount->type.empty(), "a mount has a type");
    const auto inode = parse::parse_network_namespace(mount->root);
    fuzz::require(
        !inode || parse::parse_network_namespace("net:[" + std::to_string(*inode) + "]") == inode,
        "a namespace can be read back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text({data, size});
  check_status(text);
  check_name(text);
  check_container(text);
  check_mounts(text);
  return 0;
}
