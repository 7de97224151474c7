#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "collectors/kernel.h"

namespace timewait {

/// A file whole, opened for reading. One of more than 64 KiB is refused.
Result<std::string> read_small_file(const std::filesystem::path& file);

/// The file half of a kernel: /proc and /sys, or directories that stand for them. Opens files for
/// reading only.
class KernelFiles {
 public:
  KernelFiles(std::filesystem::path proc, std::filesystem::path sys)
      : proc_(std::move(proc)), sys_(std::move(sys)) {}

  std::string proc_path(std::string_view path) const { return (proc_ / path).string(); }

  /// Reads until the end of the file: files of /proc have no size, and a short read is not the end.
  /// A sysctl comes in one piece.
  Result<void> stream_proc(std::string_view path, const Kernel::OnChunk& on_chunk) const;
  Result<std::string> read_proc_link(std::string_view path) const;
  Result<std::uint64_t> read_proc_inode(std::string_view path) const;
  Result<std::string> read_sys(std::string_view path) const;
  Result<std::string> read_sys_link(std::string_view path) const;

 private:
  std::filesystem::path proc_;
  std::filesystem::path sys_;
};

}  // namespace timewait
