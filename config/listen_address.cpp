#include "config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

#include "config/quote.h"

namespace timewait::config {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kMaxUnixPath = sizeof(sockaddr_un::sun_path) - 1;

using Parsed = tl::expected<ListenAddress, std::string>;

tl::unexpected<std::string> expected_but_found(std::string_view expected, std::string_view found) {
  return tl::make_unexpected("expected " + std::string(expected) + ", found " + in_quotes(found));
}

Parsed parse_unix_path(std::string_view path) {
  const bool has_control =
      std::any_of(path.begin(), path.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
  if (!path.starts_with('/') || path.ends_with('/') || has_control) {
    return expected_but_found("the absolute path of a socket after \"unix:\"", path);
  }
  if (path.size() > kMaxUnixPath) {
    return tl::make_unexpected("the path of a Unix socket has at most " +
                               std::to_string(kMaxUnixPath) + " bytes, this one has " +
                               std::to_string(path.size()));
  }
  return ListenAddress{{}, 0, std::string(path)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return port;
}

/// The address as the system writes it, so that two spellings of one address compare equal.
std::optional<std::string> canonical_host(int family, const std::string& host) {
  std::array<std::byte, sizeof(in6_addr)> binary{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  // inet_pton reads a C string and would take "::1\0x" for "::1".
  if (host.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(family, host.c_str(), binary.data()) != 1) return std::nullopt;
  if (inet_ntop(family, binary.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return text.data();
}

/// `host` is as written, brackets and all.
tl::expected<std::string, std::string> parse_host(std::string_view host) {
  if (host.empty()) return std::string{};
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string_view inner = host.substr(1, host.size() - 2);
    const auto canonical = canonical_host(AF_INET6, std::string(inner));
    if (!canonical) return expected_but_found("an IPv6 address in the brackets", inner);
    return *canonical;
  }
  if (host.find(':') != std::string_view::npos) {
    return expected_but_found("an IPv6 address in brackets such as [::1]", host);
  }
  const auto canonical = canonical_host(AF_INET, std::string(host));
  if (!canonical) return expected_but_found("a numeric address or nothing before the port", host);
  return *canonical;
}

}  // namespace

Parsed parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix_path(text.substr(kUnixPrefix.size()));
  const std::size_t colon = text.rfind(':');
  // The last colon of "[::1]" belongs to the address.
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return expected_but_found("an address such as :10060, [::1]:10060 or unix:/run/x.sock", text);
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) {
    return expected_but_found("a port between 0 and 65535 after the last colon", text);
  }
  return parse_host(text.substr(0, colon)).map([&](std::string host) {
    return ListenAddress{std::move(host), *port, {}};
  });
}

std::string to_string(const ListenAddress& address) {
  if (address.is_unix()) return std::string(kUnixPrefix) + address.unix_path;
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

}  // namespace timewait::config
