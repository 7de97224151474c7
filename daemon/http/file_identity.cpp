#include "daemon/http/file_identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>

namespace timewait {

namespace {

using std::chrono::nanoseconds;

std::int64_t to_nanoseconds(const timespec& time) {
  return (std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec)).count();
}

}  // namespace

FileIdentity read_identity(const std::filesystem::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) {
    FileIdentity identity;
    identity.error = errno;
    return identity;
  }
  return {found.st_dev,
          found.st_ino,
          found.st_size,
          to_nanoseconds(found.st_mtim),
          to_nanoseconds(found.st_ctim),
          0};
}

bool is_fresh(const FileIdentity& identity) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto age = now - nanoseconds(identity.changed);
  return age > std::chrono::seconds(-1) && age < std::chrono::seconds(1);
}

}  // namespace timewait
