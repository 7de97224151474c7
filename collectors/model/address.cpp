#include "collectors/model/address.h"

#include <arpa/inet.h>

namespace timewait {

std::string to_string(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.family() == Family::kIpv4 ? AF_INET : AF_INET6;
  // The buffer holds the longest address of either family, so this does not fail.
  return inet_ntop(family, address.bytes().data(), text.data(), text.size());
}

}  // namespace timewait
