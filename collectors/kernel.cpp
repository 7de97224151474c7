#include "collectors/kernel.h"

namespace timewait {

namespace {

// The longest that is read whole is ip_local_reserved_ports: 65,536 ports of at most 6 bytes.
constexpr std::size_t kMaxProcFile = std::size_t{1} << 20U;

}  // namespace

Result<std::string> Kernel::read_proc(std::string_view path) {
  std::string text;
  const auto gather = [&](std::string_view chunk) -> Result<void> {
    if (text.size() + chunk.size() > kMaxProcFile) {
      return tl::make_unexpected(
          Error{ErrorReason::kMalformed, proc_path(path), "larger than 1 MiB, refused"});
    }
    text.append(chunk);
    return {};
  };
  return stream_proc(path, gather).map([&] { return std::move(text); });
}

}  // namespace timewait
