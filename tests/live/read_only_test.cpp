#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/support/expectations.h"
#include "tests/live/support/exporter.h"
#include "tests/live/support/network_namespace.h"
#include "tests/live/support/syscall_filter.h"

// The exporter changes nothing: the program runs under a seccomp filter that ends it at the first
// call which could change a file, a socket or the kernel's settings, and every netlink request is
// looked at on its way to the kernel. That is one poll; what the program calls while it serves is
// held against a list by tests/e2e/system_calls_test.py.

namespace timewait::test {
namespace {

constexpr std::uint32_t kWritingFlags = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

void forbid_writing_files(SyscallFilter& filter) {
  filter.forbid_bits(SYS_openat, 2, kWritingFlags);
#ifdef SYS_open
  filter.forbid_bits(SYS_open, 1, kWritingFlags);
  filter.forbid({SYS_creat, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir, SYS_link, SYS_symlink,
                 SYS_mknod, SYS_chmod, SYS_chown, SYS_lchown});
#endif
#ifdef SYS_renameat
  filter.forbid({SYS_renameat});
#endif
  filter.forbid({SYS_openat2, SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_linkat, SYS_symlinkat,
                 SYS_mknodat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_truncate,
                 SYS_ftruncate, SYS_fallocate, SYS_utimensat, SYS_setxattr, SYS_fsetxattr});
  for (const long call : {SYS_write, SYS_writev}) filter.forbid_above(call, 0, STDERR_FILENO);
  filter.forbid({SYS_pwrite64, SYS_pwritev, SYS_pwritev2, SYS_sendfile, SYS_splice, SYS_tee,
                 SYS_copy_file_range});
}

void forbid_changing_the_system(SyscallFilter& filter) {
  filter.forbid({SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare,
                 SYS_bpf, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_sethostname,
                 SYS_setdomainname, SYS_reboot, SYS_settimeofday, SYS_clock_settime, SYS_kill,
                 SYS_io_uring_setup});
}

/// No socket but one that asks sock_diag, and that by sendmsg() alone.
void supervise_sockets(SyscallFilter& filter) {
  filter.forbid_other_than(SYS_socket, 0, AF_NETLINK);
  filter.forbid_other_than(SYS_socket, 2, NETLINK_SOCK_DIAG);
  filter.forbid({SYS_connect, SYS_sendto, SYS_sendmmsg});
  filter.supervise(SYS_sendmsg);
}

/// Runs on a thread of its own: a filter stays on its thread for ever.
template <class Task>
void run_on_thread(Task task) {
  std::thread(task).join();
}

SyscallFilter make_filter() {
  SyscallFilter filter;
  forbid_writing_files(filter);
  forbid_changing_the_system(filter);
  supervise_sockets(filter);
  return filter;
}

/// Whether these bytes are one request for a dump of TCP sockets and nothing else.
::testing::AssertionResult is_dump_request(const std::vector<std::byte>& message) {
  nlmsghdr header{};
  if (message.size() < sizeof(header)) return ::testing::AssertionFailure() << "too short";
  std::memcpy(&header, message.data(), sizeof(header));
  if (header.nlmsg_len != message.size()) {
    return ::testing::AssertionFailure() << "more than one message";
  }
  if (header.nlmsg_type != TCPDIAG_GETSOCK && header.nlmsg_type != SOCK_DIAG_BY_FAMILY) {
    return ::testing::AssertionFailure() << "netlink type " << header.nlmsg_type;
  }
  if (header.nlmsg_flags != (NLM_F_REQUEST | NLM_F_DUMP)) {
    return ::testing::AssertionFailure() << "netlink flags " << header.nlmsg_flags;
  }
  return ::testing::AssertionSuccess();
}

class ReadOnlyPromise : public NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (!has_namespace()) return;
#ifdef TIMEWAIT_SANITIZED
    GTEST_SKIP() << "the sanitizers' run time writes to pipes of its own";
#endif
    std::string refusal;
    run_on_thread([&] {
      if (!make_filter().install()) refusal = std::generic_category().message(errno);
    });
    if (!refusal.empty()) GTEST_SKIP() << "no supervised seccomp filter here: " << refusal;
  }
};

TEST_F(ReadOnlyPromise, IsBrokenByOpeningAFileForWriting) {
  EXPECT_EXIT(
      {
        make_filter().install();
        ::open("/dev/null", O_WRONLY);
        ::_exit(EXIT_SUCCESS);
      },
      ::testing::KilledBySignal(SIGSYS), "");
}

TEST_F(ReadOnlyPromise, IsKeptByAPollOfEveryDefaultCollector) {
  std::optional<FileDescriptor> supervisor;
  std::optional<Exporter> exporter;
  run_on_thread([&] {
    supervisor = make_filter().install();
    exporter.emplace(std::vector<std::string>{"--once"});
  });
  std::size_t messages = 0;
  supervise_messages(*supervisor, [&](const std::vector<std::byte>& message) {
    EXPECT_TRUE(is_dump_request(message));
    ++messages;
  });
  EXPECT_NE(exporter->wait(), 128 + SIGSYS) << exporter->standard_error();
  EXPECT_TRUE(has_sockets(Samples(exporter->standard_output()), {}));
  EXPECT_GT(messages, 0U);
}

}  // namespace
}  // namespace timewait::test
