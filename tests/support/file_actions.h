#pragma once

#include <fcntl.h>
#include <spawn.h>

#include <filesystem>

#include "daemon/file_descriptor.h"

namespace timewait::test {

/// posix_spawn's list of what the child does with its descriptors before it becomes the program.
class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  FileActions(FileActions&&) = delete;
  FileActions& operator=(FileActions&&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void redirect(int descriptor, const FileDescriptor& to) {
    ::posix_spawn_file_actions_adddup2(&actions_, to.get(), descriptor);
  }
  void read_from(int descriptor, const std::filesystem::path& file) {
    ::posix_spawn_file_actions_addopen(&actions_, descriptor, file.c_str(), O_RDONLY, 0);
  }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace timewait::test
