#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <tl/expected.hpp>

namespace timewait::test {

/// Moves the process into a new network namespace with lo up: 127.0.0.0/8 and ::1 are there, and
/// nothing else. Takes a user namespace along where the process has no privilege of its own. The
/// error says what is missing.
///
/// Call it on the main thread while there is no other one: /proc/net follows the thread group's
/// leader, and a user namespace is refused to a process of several threads.
tl::expected<void, std::string> enter_new_network_namespace();

/// Sets a sysctl of the namespace, named by its path: `net/ipv4/tcp_tw_reuse`. Throws where the
/// kernel refuses.
void write_sysctl(std::string_view path, std::string_view value);

/// Gives lo a further address of either family, and the network that goes with it: /8 of 10.0.0.1.
void add_address_to_loopback(const std::string& address);

/// False for a sysctl that this kernel or this namespace does not have.
bool has_sysctl(std::string_view path);

/// The sysctl's file without the closing newline.
std::string read_sysctl(std::string_view path);

/// Each test runs in a network namespace of its own, in which no connect() takes over a TIME-WAIT
/// socket (tcp_tw_reuse is 0). Where the privilege for that is missing, or IPv6, the test is
/// skipped, or fails if the environment has CI=true or TIMEWAIT_REQUIRE_LIVE=1.
class NetworkNamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override;

  /// Skips the test, or fails it in those environments.
  static void cannot_test(const std::string& reason);

  /// For a SetUp() that goes on from the one above.
  static bool has_namespace() { return !IsSkipped() && !HasFatalFailure(); }
};

}  // namespace timewait::test
