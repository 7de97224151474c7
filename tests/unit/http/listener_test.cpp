#include "daemon/http/listener.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/file_descriptor.h"
#include "tests/unit/http/socket_client.h"

namespace timewait {
namespace {

using config::ListenAddress;
using test::SocketClient;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const ListenAddress kLoopback{"127.0.0.1", 0, {}};

std::string port_of(const Listener& listener) {
  return listener.address().substr(listener.address().rfind(':') + 1);
}

bool host_has_ipv6() { return listen_on({"::1", 0, {}}).has_value(); }

TEST(Listener, NamesThePortThatWasBound) {
  const auto listener = listen_on(kLoopback);
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_THAT(listener->address(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(listener->address(), Not(EndsWith(":0")));
  EXPECT_TRUE(SocketClient(listener->address()).connected());
}

TEST(Listener, ListensOnIpv6) {
  if (!host_has_ipv6()) GTEST_SKIP() << "this host has no IPv6 loopback address";
  const auto listener = listen_on({"::1", 0, {}});
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_THAT(listener->address(), StartsWith("[::1]:"));
  EXPECT_TRUE(SocketClient(listener->address()).connected());
}

TEST(Listener, TakesBothFamiliesWithoutAHost) {
  const auto listener = listen_on(ListenAddress::any(0));
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_TRUE(SocketClient("127.0.0.1:" + port_of(*listener)).connected());
  if (!host_has_ipv6()) GTEST_SKIP() << "this host has no IPv6 loopback address";
  EXPECT_THAT(listener->address(), StartsWith("[::]:"));
  EXPECT_TRUE(SocketClient("[::1]:" + port_of(*listener)).connected());
}

/// For the calling thread alone, as on a kernel without IPv6. False if the kernel refuses.
bool refuse_ipv6_sockets() {
  constexpr auto kNumber = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  constexpr auto kFirstArgument = static_cast<std::uint32_t>(offsetof(seccomp_data, args));
  std::array<sock_filter, 6> filter{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kNumber},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, __NR_socket},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kFirstArgument},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_INET6},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EAFNOSUPPORT},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(Listener, FallsBackToIpv4WithoutIpv6) {
  bool refused = false;
  std::string address;
  std::jthread([&] {
    refused = refuse_ipv6_sockets();
    const auto listener = listen_on(ListenAddress::any(0));
    address = listener ? listener->address() : listener.error();
  }).join();
  if (!refused) GTEST_SKIP() << "this host does not let a thread filter its system calls";
  EXPECT_THAT(address, StartsWith("0.0.0.0:"));
}

/// A port of every IPv4 address that nobody listens on while this exists; 0 if there is none.
class HeldIpv4Port {
 public:
  HeldIpv4Port() {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    socklen_t size = sizeof(name);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) return;
    if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return;
    number_ = ntohs(name.sin_port);
  }

  std::uint16_t number() const { return number_; }

 private:
  FileDescriptor socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t number_ = 0;
};

TEST(Listener, TakesIpv6AloneIfToldSo) {
  if (!host_has_ipv6()) GTEST_SKIP() << "this host has no IPv6 loopback address";
  constexpr std::size_t kAttempts = 10;  // somebody else may have the port on IPv6
  std::vector<HeldIpv4Port> held(kAttempts);
  std::string error = "no attempt";
  for (const HeldIpv4Port& port : held) {
    ASSERT_NE(port.number(), 0);
    const auto listener = listen_on({"::", port.number(), {}});
    if (!listener) {
      error = listener.error();
      continue;
    }
    EXPECT_TRUE(SocketClient("[::1]:" + port_of(*listener)).connected());
    EXPECT_FALSE(SocketClient("127.0.0.1:" + port_of(*listener)).connected());
    return;
  }
  FAIL() << error;
}

TEST(Listener, SaysThatTheAddressIsInUse) {
  const auto first = listen_on(kLoopback);
  ASSERT_TRUE(first);
  const auto port = static_cast<std::uint16_t>(std::stoi(port_of(*first)));
  const auto second = listen_on({"127.0.0.1", port, {}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "cannot listen on " + first->address() + ": Address already in use");
}

TEST(Listener, SaysThatTheAddressIsNotHere) {
  const auto elsewhere = listen_on({"192.0.2.1", 0, {}});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error(), "cannot listen on 192.0.2.1:0: Cannot assign requested address");
  const auto nonsense = listen_on({"nonsense", 1, {}});
  ASSERT_FALSE(nonsense);
  EXPECT_THAT(nonsense.error(), StartsWith("cannot listen on nonsense:1: "));
}

TEST(Listener, GivesTheDescriptorAway) {
  auto listener = listen_on(kLoopback);
  ASSERT_TRUE(listener);
  const std::string address = listener->address();
  const int fd = listener->release();
  { const Listener gone = std::move(*listener); }
  EXPECT_TRUE(SocketClient(address).connected());
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  ::close(fd);
  EXPECT_FALSE(SocketClient(address).connected());
}

TEST(Listener, ClosesWhatIsAssignedOver) {
  auto first = listen_on(kLoopback);
  auto second = listen_on(kLoopback);
  ASSERT_TRUE(first && second);
  const std::string first_address = first->address();
  const std::string second_address = second->address();
  *first = std::move(*second);
  EXPECT_FALSE(SocketClient(first_address).connected());
  EXPECT_TRUE(SocketClient(second_address).connected());
}

class UnixListener : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "listenerXXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ + "/x.sock";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  auto listen() const { return listen_on({{}, 0, path_}); }

  std::string directory_;
  std::string path_;
};

TEST_F(UnixListener, RemovesItsFileAtTheEnd) {
  {
    const auto listener = listen();
    ASSERT_TRUE(listener) << listener.error();
    EXPECT_EQ(listener->address(), "unix:" + path_);
    EXPECT_TRUE(SocketClient(listener->address()).connected());
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListener, LeavesTheModeToTheUmask) {
  const mode_t before = ::umask(0027);
  const auto listener = listen();
  ::umask(before);
  ASSERT_TRUE(listener);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0750U);
}

TEST_F(UnixListener, ReplacesAStaleFile) {
  {
    auto dead = listen();
    ASSERT_TRUE(dead);
    std::filesystem::rename(path_, path_ + ".kept");
    ::close(dead->release());
  }
  std::filesystem::rename(path_ + ".kept", path_);
  const auto listener = listen();
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_TRUE(SocketClient(listener->address()).connected());
}

TEST_F(UnixListener, LeavesALiveOneAlone) {
  const auto live = listen();
  ASSERT_TRUE(live);
  const auto second = listen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "cannot listen on unix:" + path_ + ": Address already in use");
  EXPECT_TRUE(SocketClient(live->address()).connected());
}

TEST_F(UnixListener, LeavesWhatIsNoSocketAlone) {
  std::ofstream(path_) << "precious";
  const auto listener = listen();
  ASSERT_FALSE(listener);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(UnixListener, LeavesASuccessorsFileAlone) {
  auto first = listen();
  ASSERT_TRUE(first);
  std::filesystem::rename(path_, path_ + ".moved");
  const auto second = listen();
  ASSERT_TRUE(second) << second.error();
  { const Listener gone = std::move(*first); }
  EXPECT_TRUE(SocketClient(second->address()).connected());
}

TEST_F(UnixListener, SaysWhyItCannotListen) {
  const auto nowhere = listen_on({{}, 0, "/nonexistent/x.sock"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error(),
            "cannot listen on unix:/nonexistent/x.sock: No such file or directory");
  const auto endless = listen_on({{}, 0, "/" + std::string(200, 'x')});
  ASSERT_FALSE(endless);
  EXPECT_THAT(endless.error(), EndsWith(": File name too long"));
}

/// A variable list as `environ`, with the sockets' variables set so.
class Environment {
 public:
  Environment(const std::string& pid, const std::string& fds)
      : pid_("LISTEN_PID=" + pid), fds_("LISTEN_FDS=" + fds) {}

  const char* const* get() {
    entries_ = {"LISTEN_PIDS=9", "PATH=/bin", pid_.c_str(), fds_.c_str(), nullptr};
    return entries_.data();
  }

 private:
  std::string pid_;
  std::string fds_;
  std::array<const char*, 5> entries_{};
};

std::string own_pid() { return std::to_string(::getpid()); }

TEST(SystemdListeners, AreAdopted) {
  auto passed = listen_on(kLoopback);
  ASSERT_TRUE(passed);
  const std::string address = passed->address();
  const int fd = passed->release();
  ASSERT_EQ(::fcntl(fd, F_SETFD, 0), 0);

  Environment environment(own_pid(), "1");
  {
    const auto adopted = adopt_systemd_listeners(environment.get(), fd);
    ASSERT_TRUE(adopted) << adopted.error();
    ASSERT_EQ(adopted->size(), 1U);
    EXPECT_EQ(adopted->front().address(), address);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_TRUE(SocketClient(address).connected());
  }
  EXPECT_FALSE(SocketClient(address).connected());
}

TEST(SystemdListeners, AreNotMadeUp) {
  const std::array<const char*, 2> none{"PATH=/bin", nullptr};
  EXPECT_THAT(adopt_systemd_listeners(none.data()).error(), HasSubstr("are not set"));

  const std::vector<std::pair<std::string, std::string>> cases = {{"1", "1"},
                                                                  {"", "1"},
                                                                  {"x", "1"},
                                                                  {own_pid() + "0", "1"},
                                                                  {own_pid(), "0"},
                                                                  {own_pid(), "-1"},
                                                                  {own_pid(), ""},
                                                                  {own_pid(), "1x"},
                                                                  {own_pid(), "99999999999"}};
  for (const auto& [pid, fds] : cases) {
    const auto adopted = adopt_systemd_listeners(Environment(pid, fds).get());
    ASSERT_FALSE(adopted) << pid << " " << fds;
    EXPECT_THAT(adopted.error(), StartsWith("systemd passed no socket: ")) << pid << " " << fds;
  }
}

TEST(SystemdListeners, AreListeningStreamSockets) {
  const int not_listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int datagram = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (const int fd : {not_listening, datagram, file}) {
    const auto adopted = adopt_systemd_listeners(Environment(own_pid(), "1").get(), fd);
    ASSERT_FALSE(adopted);
    EXPECT_EQ(adopted.error(), "cannot listen on file descriptor " + std::to_string(fd) +
                                   ": not a listening stream socket");
    EXPECT_EQ(::close(fd), 0);
  }
  const auto closed = adopt_systemd_listeners(Environment(own_pid(), "1").get(), 100'000);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error(), "cannot listen on file descriptor 100000: Bad file descriptor");
}

}  // namespace
}  // namespace timewait
