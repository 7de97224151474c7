#include "daemon/http/open_listeners.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/http/socket_client.h"

namespace timewait {
namespace {

using config::ListenAddress;
using test::SocketClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::uint16_t port_of(const Listener& listener) {
  const std::string& address = listener.address();
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

/// The one socket that the first address leads to.
Listener open_first(OpenListeners& listeners, const ListenAddress& address) {
  auto change = listeners.open({address});
  EXPECT_TRUE(change) << change.error();
  listeners.commit();
  return std::move(change->opened.at(0));
}

TEST(OpenListeners, AnAddressThatStaysKeepsItsSocket) {
  OpenListeners listeners;
  const ListenAddress any_port{"127.0.0.1", 0, {}};
  const ListenAddress other{"127.0.0.2", 0, {}};
  const Listener first = open_first(listeners, any_port);
  const auto change = listeners.open({other, any_port});
  ASSERT_TRUE(change) << change.error();
  ASSERT_EQ(change->opened.size(), 1U);
  EXPECT_THAT(change->opened[0].address(), testing::StartsWith("127.0.0.2:"));
  EXPECT_THAT(change->closed, IsEmpty());
}

TEST(OpenListeners, TheNewOneIsOpenWhileTheOldOneServes) {
  OpenListeners listeners;
  const Listener first = open_first(listeners, {"127.0.0.1", 0, {}});
  const auto change = listeners.open({{"127.0.0.2", 0, {}}});
  ASSERT_TRUE(change) << change.error();
  EXPECT_THAT(change->closed, ElementsAre(first.address()));
  EXPECT_TRUE(SocketClient(first.address()).connected());
  EXPECT_TRUE(SocketClient(change->opened.at(0).address()).connected());
}

/// From one address to another on the same port, where one of them covers the other.
void expect_same_port_can_change(const ListenAddress& from, ListenAddress to) {
  OpenListeners listeners;
  std::string address;
  {
    const Listener first = open_first(listeners, from);
    to.port = port_of(first);
    const auto change = listeners.open({to});
    ASSERT_TRUE(change) << change.error();
    EXPECT_THAT(change->closed, ElementsAre(first.address()));
    address = "127.0.0.1:" + std::to_string(to.port);
    listeners.commit();
    EXPECT_FALSE(listen_on(to)) << "a stranger must not get a port that is in use";
    EXPECT_FALSE(listen_on({"127.0.0.1", to.port, {}})) << "nor one that the old socket covers";
    EXPECT_TRUE(SocketClient(address).connected());
  }
}

TEST(OpenListeners, ThePortStaysFromAllAddressesToOne) {
  expect_same_port_can_change(ListenAddress::any(0), {"127.0.0.1", 0, {}});
  expect_same_port_can_change({"0.0.0.0", 0, {}}, {"127.0.0.1", 0, {}});
}

TEST(OpenListeners, ThePortStaysFromOneAddressToAll) {
  expect_same_port_can_change({"127.0.0.1", 0, {}}, ListenAddress::any(0));
}

TEST(OpenListeners, WhatAnotherProcessHasIsAnErrorAndNothingChanges) {
  const auto stranger = listen_on({"127.0.0.1", 0, {}});
  ASSERT_TRUE(stranger) << stranger.error();
  OpenListeners listeners;
  const Listener first = open_first(listeners, {"127.0.0.1", 0, {}});
  const auto failed = listeners.open({{"127.0.0.2", 0, {}}, {"127.0.0.1", port_of(*stranger), {}}});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error(), HasSubstr("Address already in use"));
  const auto unchanged = listeners.open({{"127.0.0.1", 0, {}}});
  ASSERT_TRUE(unchanged);
  EXPECT_THAT(unchanged->opened, IsEmpty());
  EXPECT_THAT(unchanged->closed, IsEmpty());
}

}  // namespace
}  // namespace timewait
