#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <vector>

#include "daemon/file_descriptor.h"

namespace timewait::test {

/// A seccomp filter for what a test starts: the kernel ends a program with SIGSYS at the first
/// system call that the filter forbids. Calls that it does not name are allowed.
class SyscallFilter {
 public:
  void forbid(std::initializer_list<long> calls);
  /// Where any of `bits` is set in an argument (counted from 0).
  void forbid_bits(long call, std::uint32_t argument, std::uint32_t bits);
  void forbid_above(long call, std::uint32_t argument, std::uint32_t limit);
  void forbid_other_than(long call, std::uint32_t argument, std::uint32_t value);
  /// The call waits until supervise_messages has looked at it.
  void supervise(long call);

  /// Puts the filter on the calling thread and what it starts, for ever. Gives the descriptor to
  /// supervise by; nothing, and errno, where the kernel refuses.
  std::optional<FileDescriptor> install();

 private:
  void add_rule(long call, std::vector<sock_filter> rule);

  std::vector<sock_filter> program_;
};

/// Hands the message of every supervised sendmsg() to `on_message`, as the bytes of its buffers one
/// after the other, until the last filtered thread has ended.
void supervise_messages(const FileDescriptor& supervisor,
                        const std::function<void(const std::vector<std::byte>&)>& on_message);

}  // namespace timewait::test
