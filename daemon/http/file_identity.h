#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace timewait {

/// Which file is at a path and in which state: differs after a change, whether the file was written
/// to, replaced, or a symbolic link to it turned elsewhere. Absence is a state too.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds since 1970
  std::int64_t changed = 0;   ///< the same, of the inode; not to be set by users
  int error = 0;              ///< errno, of a file that cannot be looked at

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

FileIdentity read_identity(const std::filesystem::path& file);

/// Whether so little time has passed since the file's last change that another one may carry the
/// same time: the kernel's clock for files ticks every few milliseconds.
bool is_fresh(const FileIdentity& identity);

}  // namespace timewait
