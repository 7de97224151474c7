#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "collectors/kernel.h"

namespace timewait {

/// Who a thread was, as far as /proc still tells.
struct Task {
  std::string process;  ///< the name of its process; empty where it has ended
  /// `self` for the network namespace of the daemon; else the name under which the namespace is
  /// mounted, the container's id, the namespace's inode number as `net:[4026532285]`, or `other`
  /// where nothing of that can be seen. Empty where the process has ended.
  std::string netns;
};

/// Looks up threads in /proc. Needs no privilege to tell the daemon's own network namespace from
/// others; names of others by their mounts need CAP_SYS_PTRACE.
class TaskReader {
 public:
  explicit TaskReader(Kernel& kernel);

  /// The ids are those of the daemon's PID namespace. What was found is remembered: who fails once
  /// often fails many times, and may have ended by the second. The reference is good until the next
  /// call.
  const Task& read(std::uint32_t process, std::uint32_t thread);

  /// From time to time, because an id may be another thread's a while later.
  void forget();

 private:
  using NetnsNames = std::map<std::uint64_t, std::string>;  ///< by inode number

  std::string read_netns(const std::string& process, const std::string& thread);
  std::string read_foreign_netns(const std::string& process, const std::string& thread);
  std::optional<std::uint64_t> read_netns_inode(const std::string& thread);
  const NetnsNames& read_netns_names();

  Kernel& kernel_;
  /// False where /proc is that of another PID namespace, whose numbers mean other processes.
  bool sees_own_pids_ = false;
  std::optional<std::uint64_t> own_netns_;         ///< by the inode number of a file in it
  std::unordered_map<std::uint32_t, Task> tasks_;  ///< by thread
  std::optional<NetnsNames> netns_names_;          ///< read when the first one has to be named
};

}  // namespace timewait
