#include "collectors/kernel.h"

#include <utility>

namespace timewait {

namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

// The longest that is read whole is ip_local_reserved_ports: 65,536 ports of at most 6 bytes.
constexpr std::size_t kMaxProcFile = kMiB;

std::string render_size(std::size_t bytes) {
  return bytes % kMiB == 0 ? std::to_string(bytes / kMiB) + " MiB"
                           : std::to_string(bytes / kKiB) + " KiB";
}

}  // namespace

Result<std::string> Kernel::read_proc(std::string_view path) {
  return gather_text(proc_path(path), kMaxProcFile,
                     [&](const OnChunk& on_chunk) { return stream_proc(path, on_chunk); });
}

Result<std::string> gather_text(std::string source, std::size_t most, const TextStream& stream) {
  std::string text;
  const auto gather = [&](std::string_view chunk) -> Result<void> {
    if (chunk.size() > most - text.size()) {
      return tl::make_unexpected(
          Error{ErrorReason::kMalformed, source, "larger than " + render_size(most) + ", refused"});
    }
    text.append(chunk);
    return {};
  };
  return stream(gather).map([&] { return std::move(text); });
}

}  // namespace timewait
