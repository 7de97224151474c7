#include "tests/live/support/exporter.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "tests/live/support/wait.h"
#include "tests/support/file_actions.h"

namespace timewait::test {

namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

FileDescriptor open_memory_file(const char* name) {
  FileDescriptor file(::memfd_create(name, MFD_CLOEXEC));
  if (!file.is_open()) fail(errno, "memfd_create");
  return file;
}

std::string read_whole(const FileDescriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(errno, "fstat");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
  if (count < 0) fail(errno, "pread");
  text.resize(static_cast<std::size_t>(count));
  return text;
}

pid_t spawn(std::vector<std::string> command, const FileActions& actions) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, command.front().c_str(), actions.get(), nullptr,
                                  arguments.data(), environ);
  if (error != 0) fail(error, "starting " + command.front());
  return pid;
}

}  // namespace

Exporter::Exporter(const std::vector<std::string>& flags)
    : output_(open_memory_file("stdout")), errors_(open_memory_file("stderr")) {
  FileActions actions;
  actions.redirect(STDOUT_FILENO, output_);
  actions.redirect(STDERR_FILENO, errors_);
  std::vector<std::string> command{TIMEWAIT_PROGRAM};
  command.insert(command.end(), flags.begin(), flags.end());
  pid_ = spawn(std::move(command), actions);
}

Exporter::~Exporter() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Exporter::send_signal(int signal) const {
  if (::kill(pid_, signal) != 0) fail(errno, "kill");
}

int Exporter::wait() {
  int status = 0;
  wait_until("the exporter's end", [&] {
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended < 0) fail(errno, "waitpid");
    return ended == pid_;
  });
  ended_ = true;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string Exporter::standard_output() const { return read_whole(output_); }
std::string Exporter::standard_error() const { return read_whole(errors_); }

ConfigFile::ConfigFile(std::string_view yaml) : file_(open_memory_file("config.yaml")) {
  if (::write(file_.get(), yaml.data(), yaml.size()) != static_cast<ssize_t>(yaml.size())) {
    fail(errno, "writing the configuration");
  }
}

std::string ConfigFile::flag() const {
  return "--config.file=/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_.get());
}

Samples scrape(std::initializer_list<std::string_view> collectors, std::string_view config) {
  const ConfigFile file(config);
  std::vector<std::string> flags{"--once", "--collector.disable-defaults"};
  if (!config.empty()) flags.push_back(file.flag());
  for (const std::string_view collector : collectors) {
    flags.push_back("--collector." + std::string(collector));
  }
  Exporter exporter(flags);
  if (const int status = exporter.wait(); status != 0) {
    throw std::runtime_error("the exporter exited with status " + std::to_string(status) + ": " +
                             exporter.standard_error());
  }
  return Samples(exporter.standard_output());
}

}  // namespace timewait::test
