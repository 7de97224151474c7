#include "tests/live/support/tracefs.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

#include "collectors/parse/mountinfo.h"

namespace timewait::test {

namespace {

using Outcome = tl::expected<void, std::string>;

Outcome outcome_of(int result, const std::string& what) {
  if (result == 0) return {};
  return tl::make_unexpected(what + ": " + std::generic_category().message(errno));
}

/// The points of all mounts, or of those of a type.
std::vector<std::string> mount_points(std::string_view type = {}) {
  std::vector<std::string> points;
  std::ifstream mountinfo("/proc/self/mountinfo");
  for (std::string line; std::getline(mountinfo, line);) {
    const auto mount = parse::parse_mount(line);
    if (mount && (type.empty() || mount->type == type)) points.push_back(mount->point);
  }
  return points;
}

/// What is mounted and unmounted from now on is not to be seen outside.
Outcome make_mounts_private() {
  const auto make_private = [](const std::string& point, unsigned long how) {
    return ::mount(nullptr, point.c_str(), nullptr, MS_PRIVATE | how, nullptr);
  };
  int result = make_private("/", MS_REC);
  if (result != 0 && errno == EINVAL) {
    // In a chroot "/" is no mount, but what is mounted below it is.
    result = 0;
    for (const std::string& point : mount_points()) {
      if (result == 0) result = make_private(point, 0);
    }
  }
  return outcome_of(result, "making the mounts private");
}

Outcome unmount_everywhere(std::string_view type) {
  const std::vector<std::string> points = mount_points(type);
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (Outcome done = unmount(*point); !done) return done;
  }
  return {};
}

}  // namespace

Outcome mount_filesystem(const std::string& type, const std::filesystem::path& directory) {
  return outcome_of(::mount(type.c_str(), directory.c_str(), type.c_str(), 0, nullptr),
                    "mounting " + type);
}

Outcome unmount(const std::filesystem::path& directory) {
  return outcome_of(::umount2(directory.c_str(), MNT_DETACH), "unmounting " + directory.string());
}

Outcome enter_mount_namespace_with_tracefs(const std::filesystem::path& directory) {
  return outcome_of(::unshare(CLONE_NEWNS), "unshare(CLONE_NEWNS)")
      .and_then(make_mounts_private)
      .and_then([] { return unmount_everywhere("tracefs"); })
      .and_then([] { return unmount_everywhere("debugfs"); })
      .and_then([&] { return mount_filesystem("tracefs", directory); });
}

Outcome name_network_namespace(const std::filesystem::path& file) {
  std::ofstream(file).close();
  return outcome_of(::mount("/proc/thread-self/ns/net", file.c_str(), nullptr, MS_BIND, nullptr),
                    "naming the namespace");
}

}  // namespace timewait::test
