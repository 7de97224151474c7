#include "tests/unit/golden/run_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

#include "daemon/file_descriptor.h"
#include "tests/support/file_actions.h"

namespace timewait::test {

namespace {

std::string read_to_end(const FileDescriptor& file) {
  std::string text;
  std::array<char, 4096> chunk{};
  while (true) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

int wait_for_exit(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? "" : value;
}

}  // namespace

ProgramResult run_program(std::vector<std::string> arguments, const std::filesystem::path& input) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const FileDescriptor output(ends[0]);
  FileDescriptor output_of_child(ends[1]);
  FileActions actions;
  actions.read_from(STDIN_FILENO, input);
  actions.redirect(STDOUT_FILENO, output_of_child);
  pid_t child = 0;
  if (::posix_spawnp(&child, argv.front(), actions.get(), nullptr, argv.data(), environ) != 0) {
    return {};
  }
  output_of_child = FileDescriptor();
  std::string text = read_to_end(output);
  return {wait_for_exit(child), std::move(text)};
}

bool is_on_path(const std::string& program) {
  std::istringstream directories{std::string(environment("PATH"))};
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::filesystem::path file = std::filesystem::path(directory) / program;
    if (::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

void require_tool(const std::string& program) {
  if (is_on_path(program)) return;
  if (environment("CI") == "true") FAIL() << program << " is not on PATH, and CI needs it";
  GTEST_SKIP() << program << " is not on PATH";
}

}  // namespace timewait::test
