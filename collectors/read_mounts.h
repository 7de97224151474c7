#pragma once

#include <string_view>

#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/parse/mountinfo.h"
#include "collectors/parse/text.h"

namespace timewait {

/// Calls `on_mount(const parse::Mount&)` for each mount that the process sees, in their order. Line
/// by line, because a host of containers has thousands, some of them of several KiB; what does not
/// fit into LineSplitter::kMaxLine (overlays) is passed over.
template <class OnMount>
Result<void> read_mounts(Kernel& kernel, OnMount&& on_mount) {
  parse::LineSplitter lines;
  const auto on_line = [&](std::string_view line) -> Result<void> {
    if (const auto mount = parse::parse_mount(line)) on_mount(*mount);
    return {};
  };
  return kernel
      .stream_proc("self/mountinfo",
                   [&](std::string_view chunk) { return lines.push(chunk, on_line); })
      .and_then([&] { return lines.finish(on_line); });
}

}  // namespace timewait
