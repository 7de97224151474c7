#include "config/file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace timewait::config {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

tl::unexpected<std::string> unreadable(const std::error_code& error) {
  return tl::make_unexpected("cannot read the file: " + error.message());
}

}  // namespace

tl::expected<std::string, std::string> read_file(const std::filesystem::path& file, Pipes pipes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (error) return unreadable(error);
  if (is_directory(status)) return tl::make_unexpected("is a directory");
  const bool is_wanted_pipe = is_fifo(status) && pipes == Pipes::kAllowed;
  if (!is_regular_file(status) && !is_wanted_pipe) {
    return tl::make_unexpected(pipes == Pipes::kAllowed ? "is neither a regular file nor a pipe"
                                                        : "is not a regular file");
  }
  const std::unique_ptr<std::FILE, CloseFile> stream(std::fopen(file.c_str(), "rbe"));
  if (stream == nullptr) return unreadable({errno, std::generic_category()});

  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) return unreadable({errno, std::generic_category()});
  text.shrink_to_fit();
  return text;
}

std::string larger_than_allowed() {
  return "is larger than " + std::to_string(kMaxFileBytes) + " bytes";
}

}  // namespace timewait::config
