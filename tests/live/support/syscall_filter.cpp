#include "tests/live/support/syscall_filter.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <system_error>

#include "tests/live/support/wait.h"

namespace timewait::test {

namespace {

sock_filter statement(unsigned code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}

/// Jumps over so many instructions.
sock_filter jump(unsigned comparison, std::uint32_t value, std::uint8_t if_true,
                 std::uint8_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), if_true, if_false, value};
}

sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

/// The low half: flags and descriptors are int.
sock_filter load_argument(std::uint32_t argument) {
  constexpr std::size_t kLowHalf = std::endian::native == std::endian::little ? 0 : 4;
  return load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t) + kLowHalf);
}

sock_filter answer(std::uint32_t action) { return statement(BPF_RET | BPF_K, action); }

const sock_filter kForbid = answer(SECCOMP_RET_KILL_PROCESS);

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Copies from the memory of another process.
template <class T>
std::vector<T> read_memory(pid_t pid, const void* address, std::size_t count) {
  std::vector<T> values(count);
  const iovec local{values.data(), count * sizeof(T)};
  const iovec remote{const_cast<void*>(address), count * sizeof(T)};
  const ssize_t read = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
  if (read != static_cast<ssize_t>(local.iov_len)) fail("process_vm_readv");
  return values;
}

std::vector<std::byte> read_message(pid_t pid, std::uint64_t address) {
  const msghdr header =
      read_memory<msghdr>(pid, std::bit_cast<const void*>(static_cast<std::uintptr_t>(address)), 1)
          .front();
  std::vector<std::byte> message;
  for (const iovec& part : read_memory<iovec>(pid, header.msg_iov, header.msg_iovlen)) {
    const auto bytes = read_memory<std::byte>(pid, part.iov_base, part.iov_len);
    message.insert(message.end(), bytes.begin(), bytes.end());
  }
  return message;
}

/// False when no filtered thread is left.
bool wait_for_call(const FileDescriptor& supervisor) {
  pollfd poll{supervisor.get(), POLLIN, 0};
  const int ready = ::poll(&poll, 1, static_cast<int>(kPatience.count()));
  if (ready < 0) fail("poll");
  if (ready == 0) throw std::runtime_error("the filtered program neither ends nor goes on");
  return (poll.revents & POLLIN) != 0;
}

}  // namespace

void SyscallFilter::add_rule(long call, std::vector<sock_filter> rule) {
  program_.push_back(load(offsetof(seccomp_data, nr)));
  program_.push_back(
      jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, static_cast<std::uint8_t>(rule.size())));
  program_.insert(program_.end(), rule.begin(), rule.end());
}

void SyscallFilter::forbid(std::initializer_list<long> calls) {
  for (const long call : calls) add_rule(call, {kForbid});
}

void SyscallFilter::forbid_bits(long call, std::uint32_t argument, std::uint32_t bits) {
  add_rule(call, {load_argument(argument), jump(BPF_JSET, bits, 0, 1), kForbid});
}

void SyscallFilter::forbid_above(long call, std::uint32_t argument, std::uint32_t limit) {
  add_rule(call, {load_argument(argument), jump(BPF_JGT, limit, 0, 1), kForbid});
}

void SyscallFilter::forbid_other_than(long call, std::uint32_t argument, std::uint32_t value) {
  add_rule(call, {load_argument(argument), jump(BPF_JEQ, value, 1, 0), kForbid});
}

void SyscallFilter::supervise(long call) { add_rule(call, {answer(SECCOMP_RET_USER_NOTIF)}); }

std::optional<FileDescriptor> SyscallFilter::install() {
  program_.push_back(answer(SECCOMP_RET_ALLOW));
  sock_fprog program{static_cast<unsigned short>(program_.size()), program_.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::nullopt;
  FileDescriptor supervisor(static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)));
  if (!supervisor.is_open()) return std::nullopt;
  return supervisor;
}

void supervise_messages(const FileDescriptor& supervisor,
                        const std::function<void(const std::vector<std::byte>&)>& on_message) {
  while (wait_for_call(supervisor)) {
    seccomp_notif call{};
    if (::ioctl(supervisor.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) fail("NOTIF_RECV");
    on_message(read_message(static_cast<pid_t>(call.pid), call.data.args[1]));
    seccomp_notif_resp reply{};
    reply.id = call.id;
    reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (::ioctl(supervisor.get(), SECCOMP_IOCTL_NOTIF_SEND, &reply) != 0) fail("NOTIF_SEND");
  }
}

}  // namespace timewait::test
