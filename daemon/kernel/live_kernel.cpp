#include "daemon/kernel/live_kernel.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "collectors/read_mounts.h"

namespace timewait {

std::uint64_t LiveKernel::page_size() const {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Result<std::string> LiveKernel::read_tracefs(std::string_view path) {
  std::vector<std::string> places;
  std::vector<std::string> below_debugfs;
  const auto found = read_mounts(*this, [&](const parse::Mount& mount) {
    if (mount.type == "tracefs") places.push_back(mount.point);
    if (mount.type == "debugfs") below_debugfs.push_back(mount.point + "/tracing");
  });
  if (!found) return tl::make_unexpected(found.error());
  // These last: the kernel mounts tracefs there when it is looked for.
  places.insert(places.end(), below_debugfs.begin(), below_debugfs.end());

  Result<std::string> first = tl::make_unexpected(
      Error{ErrorReason::kUnavailable, "tracefs",
            "not mounted (`mount -t tracefs tracefs /sys/kernel/tracing` mounts it)"});
  for (const std::string& place : places) {
    auto read = read_small_file(std::filesystem::path(place) / path);
    if (read) return read;
    if (&place == &places.front()) first = std::move(read);
  }
  return first;
}

}  // namespace timewait
