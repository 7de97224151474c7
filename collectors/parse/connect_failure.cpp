#include "collectors/parse/connect_failure.h"

#include <algorithm>
#include <array>
#include <string>

#include "collectors/parse/bytes.h"

namespace timewait::parse {

namespace {

using AddressBytes = std::array<std::byte, 16>;

}  // namespace

Result<ConnectFailureLayout> compute_connect_failure_layout(const TracepointFormat& format) {
  for (const std::string_view name : {"oldstate", "newstate", "sport", "protocol"}) {
    if (std::ranges::find(format.fields, name, &TracepointField::name) == format.fields.end()) {
      return malformed("expected a field " + std::string(name) + ", found none");
    }
  }
  const auto remote_port = format.find("dport", sizeof(std::uint16_t));
  if (!remote_port) return tl::make_unexpected(remote_port.error());
  const auto local = format.find("saddr_v6", sizeof(AddressBytes));
  if (!local) return tl::make_unexpected(local.error());
  const auto remote = format.find("daddr_v6", sizeof(AddressBytes));
  if (!remote) return tl::make_unexpected(remote.error());
  return ConnectFailureLayout{remote_port->offset, local->offset, remote->offset};
}

Result<ConnectTuple> parse_connect_failure(const ConnectFailureLayout& layout,
                                           std::span<const std::byte> raw) {
  const auto remote_port = read_at<std::uint16_t>(raw, layout.remote_port);
  const auto local = read_at<AddressBytes>(raw, layout.local);
  const auto remote = read_at<AddressBytes>(raw, layout.remote);
  if (!remote_port || !local || !remote) {
    return malformed("record of sock:inet_sock_set_state of " + std::to_string(raw.size()) +
                     " bytes, shorter than its format says");
  }
  return ConnectTuple{Address::from_ipv6(local->data()), Address::from_ipv6(remote->data()),
                      *remote_port};
}

}  // namespace timewait::parse
