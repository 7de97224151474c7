#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace timewait::config {

inline constexpr std::uint16_t kDefaultPort = 10060;

/// Where to listen: a TCP host and port, or a Unix socket's path.
struct ListenAddress {
  std::string host;  ///< a numeric IPv4 or IPv6 address; empty: every address of both families
  std::uint16_t port = 0;
  std::string unix_path;  ///< not empty: a Unix socket, and the other members do not count

  bool is_unix() const { return !unix_path.empty(); }
  static ListenAddress any(std::uint16_t port) { return {{}, port, {}}; }
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// Reads `:10060`, `127.0.0.1:0`, `[::1]:10060` or `unix:/run/x.sock`; the error says what is
/// wrong.
tl::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);

/// The same form again; with an IPv6 host in brackets.
std::string to_string(const ListenAddress& address);

}  // namespace timewait::config
