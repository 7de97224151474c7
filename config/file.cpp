#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
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

/// Why such a file is not read; nothing for one that is.
std::optional<std::string> refuse(const struct stat& status, Pipes pipes) {
  if (S_ISREG(status.st_mode) || (S_ISFIFO(status.st_mode) && pipes == Pipes::kAllowed)) return {};
  if (S_ISDIR(status.st_mode)) return "is a directory";
  return pipes == Pipes::kAllowed ? "is neither a regular file nor a pipe"
                                  : "is not a regular file";
}

/// Of a pipe, waits for its writer.
Stream open_file(const std::filesystem::path& file, const struct stat& status) {
  const int without_waiting = S_ISFIFO(status.st_mode) ? 0 : O_NONBLOCK;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | without_waiting);
  return Stream(fd < 0 ? nullptr : ::fdopen(fd, "rb"));
}

}  // namespace

tl::expected<std::string, std::string> read_file(const std::filesystem::path& file, Pipes pipes) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return unreadable(errno);
  if (const auto refusal = refuse(status, pipes)) return tl::make_unexpected(*refusal);
  const Stream stream = open_file(file, status);
  if (stream == nullptr || ::fstat(::fileno(stream.get()), &status) != 0) return unreadable(errno);
  // Another file may have taken its place meanwhile.
  if (const auto refusal = refuse(status, pipes)) return tl::make_unexpected(*refusal);
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
