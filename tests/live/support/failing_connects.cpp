#include "tests/live/support/failing_connects.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace timewait::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Runs in the child, and never comes back.
[[noreturn]] void run_child(const std::string& name, const std::function<void()>& task,
                            const FileDescriptor& done) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, name.c_str());
  try {
    task();
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << std::endl;
    ::_exit(EXIT_FAILURE);
  }
  if (::write(done.get(), "x", 1) != 1) ::_exit(EXIT_FAILURE);
  while (true) ::pause();
}

}  // namespace

ExhaustedDestinationOf::ExhaustedDestinationOf(const Addressing& addressing)
    : service_(addressing) {
  while (auto client = try_connect(service_.endpoint())) {
    FileDescriptor server = accept_from(service_.listener());
    connections_.push_back({*std::move(client), std::move(server)});
  }
}

int connect_error(const FileDescriptor& socket, const Endpoint& remote) {
  return ::connect(socket.get(), remote.data(), remote.size()) == 0 ? 0 : errno;
}

void fail_to_connect(const Endpoint& remote, std::size_t times, const ConnectOptions& options) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (options.blocks ? 0 : SOCK_NONBLOCK);
  for (; times > 0; --times) {
    const FileDescriptor socket(::socket(remote.family(), type, options.protocol));
    if (!socket.is_open()) fail("opening a socket");
    const int error = connect_error(socket, remote);
    if (error != EADDRNOTAVAIL) {
      throw std::runtime_error("connect() to an exhausted destination gives " +
                               std::generic_category().message(error));
    }
  }
}

NamedProcess::NamedProcess(const std::string& name, const std::function<void()>& task) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  const FileDescriptor done(ends[0]);
  FileDescriptor done_of_child(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) run_child(name, task, done_of_child);
  done_of_child = FileDescriptor();
  char byte = 0;
  if (::read(done.get(), &byte, 1) == 1) return;
  ::waitpid(pid_, nullptr, 0);
  throw std::runtime_error("the process " + name + " has failed");
}

NamedProcess::~NamedProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace timewait::test
