#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace timewait::config {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Stream = std::unique_ptr<std::FILE, CloseFile>;

tl::unexpected<std::string> unreadable(int code) {
  return tl::make_unexpected("cannot read the file: " + std::generic_category().message(code));
}

/// A pipe without a writer gives nothing where it is opened so.
Stream open_without_waiting(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return Stream(fd < 0 ? nullptr : ::fdopen(fd, "rb"));
}

}  // namespace

tl::expected<std::string, std::string> read_file(const std::filesystem::path& file, Pipes pipes) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return unreadable(errno);
  const bool is_wanted_pipe = S_ISFIFO(status.st_mode) && pipes == Pipes::kAllowed;
  const Stream stream =
      is_wanted_pipe ? Stream(std::fopen(file.c_str(), "rbe")) : open_without_waiting(file);
  if (stream == nullptr || ::fstat(::fileno(stream.get()), &status) != 0) return unreadable(errno);
  if (S_ISDIR(status.st_mode)) return tl::make_unexpected("is a directory");
  if (!S_ISREG(status.st_mode) && !is_wanted_pipe) {
    return tl::make_unexpected(pipes == Pipes::kAllowed ? "is neither a regular file nor a pipe"
                                                        : "is not a regular file");
  }
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) return unreadable(errno);
  text.shrink_to_fit();
  return text;
}

std::string larger_than_allowed() {
  return "is larger than " + std::to_string(kMaxFileBytes) + " bytes";
}

std::string empty_at_reload() {
  return "is empty, as a file that is being written; a comment in it stands for the defaults";
}

}  // namespace timewait::config
