#include "tests/live/support/connection.h"

#include <utility>

#include "tests/live/support/wait.h"

namespace timewait::test {

namespace {

void close_both(FileDescriptor& first, FileDescriptor& second) {
  first = FileDescriptor();
  wait_for_state(second, KernelState::kCloseWait);
  second = FileDescriptor();
}

}  // namespace

const Addressing& ipv4_addressing() {
  static const Addressing ipv4{"ipv4", "127.0.0.1", "127.0.0.1", "ipv4", "ipv4"};
  return ipv4;
}

const Addressing& ipv6_addressing() {
  static const Addressing ipv6{"ipv6", "::1", "::1", "ipv6", "ipv6"};
  return ipv6;
}

const Addressing& mapped_addressing() {
  static const Addressing mapped{"mapped", "::", "::ffff:127.0.0.1", "ipv6", "ipv4"};
  return mapped;
}

std::vector<Addressing> every_addressing() {
  return {ipv4_addressing(), ipv6_addressing(), mapped_addressing()};
}

std::vector<Connection> Service::connect(std::size_t count) const {
  std::vector<Connection> connections;
  while (connections.size() < count) connections.push_back(connect());
  return connections;
}

FileDescriptor fill_accept_queue(const Service& service) {
  FileDescriptor queued = open_connected(service.endpoint());
  wait_until("a full accept queue", [&] { return accept_queue_length(service.listener()) == 1; });
  return queued;
}

void close_client_first(Connection& connection) {
  close_both(connection.client, connection.server);
}

void close_server_first(Connection& connection) {
  close_both(connection.server, connection.client);
}

void half_close(Connection& connection) {
  shut_down_writing(connection.client);
  wait_for_state(connection.client, KernelState::kFinWait2);
  wait_for_state(connection.server, KernelState::kCloseWait);
}

void orphan_half_closed(Connection& connection) {
  half_close(connection);
  connection.client = FileDescriptor();
}

void hold_in_fin_wait1(Connection& connection) {
  fill_peer_window(connection.client);
  shut_down_writing(connection.client);
  wait_for_state(connection.client, KernelState::kFinWait1);
}

void hold_in_last_ack(Connection& connection) {
  fill_peer_window(connection.server);
  half_close(connection);
  connection.server = FileDescriptor();
}

void hold_in_closing(Connection& connection) {
  hold_in_fin_wait1(connection);
  shut_down_writing(connection.server);
  wait_for_state(connection.client, KernelState::kClosing);
  wait_for_state(connection.server, KernelState::kFinWait2);
}

}  // namespace timewait::test
