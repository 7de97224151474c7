#include "tests/live/support/network_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "daemon/file_descriptor.h"
#include "tests/live/support/tcp.h"
#include "tests/live/support/wait.h"

namespace timewait::test {

namespace {

using Outcome = tl::expected<void, std::string>;

tl::unexpected<std::string> failure(std::string_view what) {
  return tl::make_unexpected(std::string(what) + ": " + std::generic_category().message(errno));
}

/// One write(2): the kernel takes a map or a sysctl whole or not at all.
Outcome write_file(const std::string& path, std::string_view text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) return failure("opening " + path);
  if (::write(file.get(), text.data(), text.size()) < 0) return failure("writing " + path);
  return {};
}

/// A user namespace in which this user is root, and a network namespace that belongs to it.
Outcome unshare_with_user_namespace() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return failure("unshare(CLONE_NEWUSER | CLONE_NEWNET)");
  }
  return write_file("/proc/self/setgroups", "deny")
      .and_then([&] { return write_file("/proc/self/uid_map", "0 " + user + " 1"); })
      .and_then([&] { return write_file("/proc/self/gid_map", "0 " + group + " 1"); });
}

Outcome bring_loopback_up() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failure("opening a socket");
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof(request.ifr_name) - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return failure("bringing lo up");
  return {};
}

/// ::1 comes with lo.
Outcome require_ipv6() {
  std::string interfaces;
  std::getline(std::ifstream("/proc/net/if_inet6"), interfaces);
  if (interfaces.empty()) return tl::make_unexpected(std::string("no IPv6 address on lo"));
  return {};
}

/// The kernel's struct in6_ifreq, whose header clashes with the C library's.
struct Ipv6AddressRequest {
  in6_addr address;
  std::uint32_t prefix_length;
  int interface;
};

std::string sysctl_file(std::string_view path) { return "/proc/sys/" + std::string(path); }

bool environment_has(const char* name, std::string_view value) {
  const char* const found = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return found != nullptr && found == value;
}

}  // namespace

Outcome enter_new_network_namespace() {
  if (::unshare(CLONE_NEWNET) == 0) return bring_loopback_up();
  if (errno != EPERM) return failure("unshare(CLONE_NEWNET)");
  return unshare_with_user_namespace().and_then(bring_loopback_up);
}

void write_sysctl(std::string_view path, std::string_view value) {
  if (const Outcome written = write_file(sysctl_file(path), value); !written) {
    throw std::runtime_error(written.error());
  }
}

void add_address_to_loopback(const std::string& address) {
  const Endpoint endpoint(address, 0);
  const FileDescriptor socket(::socket(endpoint.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) throw std::runtime_error(failure("opening a socket").value());
  int result = 0;
  if (endpoint.family() == AF_INET) {
    ifreq request{};
    std::strncpy(request.ifr_name, "lo:1", sizeof(request.ifr_name) - 1);
    std::memcpy(&request.ifr_addr, endpoint.data(), endpoint.size());
    result = ::ioctl(socket.get(), SIOCSIFADDR, &request);
  } else {
    Ipv6AddressRequest request{};
    request.address = reinterpret_cast<const sockaddr_in6*>(endpoint.data())->sin6_addr;
    request.prefix_length = 128;
    request.interface = static_cast<int>(::if_nametoindex("lo"));
    result = ::ioctl(socket.get(), SIOCSIFADDR, &request);
  }
  if (result != 0) throw std::runtime_error(failure("adding " + address + " to lo").value());
  wait_until(address + " to be usable, which an IPv6 one is only after a while",
             [&] { return ::bind(socket.get(), endpoint.data(), endpoint.size()) == 0; });
}

bool has_sysctl(std::string_view path) { return std::filesystem::exists(sysctl_file(path)); }

std::string read_sysctl(std::string_view path) {
  std::ifstream file(sysctl_file(path));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) throw std::runtime_error("cannot read " + sysctl_file(path));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void NetworkNamespaceTest::SetUp() {
  const Outcome entered =
      enter_new_network_namespace()
          .and_then([] { return write_file(sysctl_file("net/ipv4/tcp_tw_reuse"), "0"); })
          .and_then(require_ipv6);
  if (!entered) cannot_test("cannot test in a network namespace: " + entered.error());
}

void NetworkNamespaceTest::cannot_test(const std::string& reason) {
  if (environment_has("CI", "true") || environment_has("TIMEWAIT_REQUIRE_LIVE", "1")) {
    FAIL() << reason;
  }
  GTEST_SKIP() << reason;
}

}  // namespace timewait::test
