#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace timewait {

/// What tells one client's network from another's, in bytes that are for comparison alone: an IPv4
/// address, the first 64 bits of an IPv6 one, of which a host may have all the rest. Empty for a
/// Unix socket and for what is no address.
std::string peer_network(std::span<const std::byte> socket_address);

}  // namespace timewait
