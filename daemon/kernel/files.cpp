#include "daemon/kernel/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "daemon/file_descriptor.h"
#include "daemon/kernel/errno_error.h"

namespace timewait {

namespace {

constexpr std::size_t kChunk = std::size_t{16} * 1024;
// Files of /sys hold at most a page, those of tracefs a few.
constexpr std::size_t kMaxSmallFile = std::size_t{64} * 1024;

// A pipe in a file's place is not waited for.
constexpr int kHowToOpen = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

Result<void> stream_file(const std::filesystem::path& path, const Kernel::OnChunk& on_chunk) {
  const FileDescriptor file(::open(path.c_str(), kHowToOpen));
  if (!file.is_open()) return tl::make_unexpected(errno_error(errno, path.string()));
  std::array<char, kChunk> chunk{};
  while (true) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count == 0) return {};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::make_unexpected(errno_error(errno, path.string()));
    if (auto taken = on_chunk({chunk.data(), static_cast<std::size_t>(count)}); !taken)
      return taken;
  }
}

/// Of a long list the kernel writes as much as a read has room for, cut off anywhere, and nothing
/// to the next read (kernel/sysctl.c, proc_do_large_bitmap). So all of it is to come in one.
Result<void> stream_at_once(const std::filesystem::path& path, const Kernel::OnChunk& on_chunk) {
  // Larger than what is accepted of a file, so that what does not fit is refused.
  constexpr std::size_t kAll = (std::size_t{1} << 20U) + 1;
  const FileDescriptor file(::open(path.c_str(), kHowToOpen));
  if (!file.is_open()) return tl::make_unexpected(errno_error(errno, path.string()));
  std::string text;
  for (const std::size_t size : {kChunk, kAll}) {
    text.resize(size);
    ssize_t count = 0;
    do count = ::pread(file.get(), text.data(), size, /*offset=*/0);
    while (count < 0 && errno == EINTR);
    if (count < 0) return tl::make_unexpected(errno_error(errno, path.string()));
    text.resize(static_cast<std::size_t>(count));
    if (text.size() < size) break;
  }
  return on_chunk(text);
}

/// An empty text where the path is no link.
Result<std::string> read_link(const std::filesystem::path& link) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(link, error);
  if (!error) return target.string();
  if (error == std::errc::invalid_argument) return std::string();  // there, but no link
  return tl::make_unexpected(errno_error(error.value(), link.string()));
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& file) {
  return gather_text(file.string(), kMaxSmallFile,
                     [&](const Kernel::OnChunk& on_chunk) { return stream_file(file, on_chunk); });
}

Result<void> KernelFiles::stream_proc(std::string_view path,
                                      const Kernel::OnChunk& on_chunk) const {
  const bool is_sysctl = path.starts_with("sys/");
  return is_sysctl ? stream_at_once(proc_ / path, on_chunk) : stream_file(proc_ / path, on_chunk);
}

Result<std::string> KernelFiles::read_proc_link(std::string_view path) const {
  return read_link(proc_ / path);
}

Result<std::uint64_t> KernelFiles::read_proc_inode(std::string_view path) const {
  const std::filesystem::path file = proc_ / path;
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return tl::make_unexpected(errno_error(errno, file.string()));
  }
  return status.st_ino;
}

Result<std::string> KernelFiles::read_sys(std::string_view path) const {
  return read_small_file(sys_ / path);
}

Result<std::string> KernelFiles::read_sys_link(std::string_view path) const {
  return read_link(sys_ / path);
}

}  // namespace timewait
