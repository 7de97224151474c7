#include "daemon/http/peer.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace timewait {

namespace {

template <class Address>
Address copy_as(std::span<const std::byte> bytes) {
  Address address{};
  if (bytes.size() >= sizeof(address)) std::memcpy(&address, bytes.data(), sizeof(address));
  return address;
}

template <class Address>
std::string bytes_of(const Address& address, std::size_t from, std::size_t count) {
  std::array<char, sizeof(Address)> bytes{};
  std::memcpy(bytes.data(), &address, sizeof(Address));
  return {bytes.data() + from, count};
}

}  // namespace

std::string peer_network(std::span<const std::byte> socket_address) {
  sa_family_t family = AF_UNSPEC;
  if (socket_address.size() < sizeof(family)) return {};
  std::memcpy(&family, socket_address.data(), sizeof(family));
  if (family == AF_INET) {
    return bytes_of(copy_as<sockaddr_in>(socket_address).sin_addr, 0, sizeof(in_addr));
  }
  if (family != AF_INET6) return {};
  const in6_addr address = copy_as<sockaddr_in6>(socket_address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    return bytes_of(address, sizeof(address) - sizeof(in_addr), sizeof(in_addr));
  }
  return bytes_of(address, 0, sizeof(address) / 2);
}

}  // namespace timewait
