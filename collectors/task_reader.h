#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "collectors/error.h"
#include "collectors/kernel.h"

namespace timewait {

/// Who a thread is or was, as far as /proc tells.
struct Task {
  std::string process;  ///< the name of its process; empty where it had ended
  /// `self` for the network namespace of the daemon; else the container's id, the name under which
  /// the namespace is mounted, its inode number as `net:[4026532285]`, or `other` where nothing of
  /// that can be seen. Empty where the process had ended; one that ends loses it before its name.
  std::string netns;
};

/// Looks up threads in /proc. Needs no privilege to tell the daemon's own network namespace from
/// others; names and numbers of others need CAP_SYS_PTRACE.
class TaskReader {
 public:
  explicit TaskReader(Kernel& kernel);

  /// Before the events that have come together: of these at most so many threads are looked up,
  /// each once, because a look costs some ten microseconds and events may be many.
  static constexpr std::size_t kMostLookups = 64;
  void begin_batch();

  /// The ids are those of the daemon's PID namespace. For one that has ended, or is beyond the
  /// bound, what was found before, else what was found for another thread of its process: who fails
  /// once often fails many times, and may have ended by the second. The reference is good until the
  /// next call.
  const Task& read(std::uint32_t process, std::uint32_t thread);

  /// Forgets what earlier batches have found: an id may be another thread's a while later. Looks
  /// again for what it could not see of the process itself.
  void forget();

  /// Why threads that have not ended cannot be looked up, all of them or some.
  std::optional<Error> why_unknown() const;

 private:
  struct Known {
    Task task;
    std::uint64_t batch = 0;  ///< that looked it up; 0 for a process by one of its threads
  };
  using NetnsNames = std::map<std::uint64_t, std::string>;  ///< by inode number

  void look_around();
  const Task& remember(std::uint32_t process, std::uint32_t thread, Task task);
  Task read_task(std::uint32_t process, std::uint32_t thread);
  std::string read_netns(const std::string& process, const std::string& thread);
  std::string read_foreign_netns(const std::string& process, const std::string& thread);
  const NetnsNames& read_netns_names();

  Kernel& kernel_;
  /// False where /proc is that of another PID namespace, whose numbers mean other processes.
  bool sees_own_pids_ = false;
  bool sees_others_ = false;                ///< also the processes of other users
  bool has_met_foreign_ = false;            ///< a thread without a number in this PID namespace
  std::optional<std::uint64_t> own_netns_;  ///< by the inode number of a file in it
  std::unordered_map<std::uint32_t, Known> tasks_;  ///< by thread
  std::uint64_t batch_ = 1;
  std::size_t lookups_ = 0;                ///< of the batch
  std::optional<NetnsNames> netns_names_;  ///< of the batch, where one had to be named
};

}  // namespace timewait
