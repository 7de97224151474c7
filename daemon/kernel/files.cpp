#include "daemon/kernel/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "daemon/file_descriptor.h"
#include "daemon/kernel/errno_error.h"

namespace timewait {

namespace {

constexpr std::size_t kChunk = std::size_t{16} * 1024;
// Files of /sys hold at most a page.
constexpr std::size_t kMaxSysFile = std::size_t{64} * 1024;

Result<void> stream_file(const std::filesystem::path& path, const Kernel::OnChunk& on_chunk) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
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

}  // namespace

Result<void> KernelFiles::stream_proc(std::string_view path,
                                      const Kernel::OnChunk& on_chunk) const {
  return stream_file(proc_ / path, on_chunk);
}

Result<std::string> KernelFiles::read_sys(std::string_view path) const {
  const std::filesystem::path file = sys_ / path;
  return gather_text(file.string(), kMaxSysFile,
                     [&](const Kernel::OnChunk& on_chunk) { return stream_file(file, on_chunk); });
}

Result<std::string> KernelFiles::read_sys_link(std::string_view path) const {
  const std::filesystem::path link = sys_ / path;
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(link, error);
  if (!error) return target.string();
  if (error == std::errc::invalid_argument) return std::string();  // there, but no link
  return tl::make_unexpected(errno_error(error.value(), link.string()));
}

}  // namespace timewait
