#pragma once

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace timewait::test {

/// A socket as the kernel's dump would describe it.
struct SocketSpec {
  const char* local = "127.0.0.1";
  std::uint16_t local_port = 0;
  const char* remote = "0.0.0.0";
  std::uint16_t remote_port = 0;
  std::uint8_t state = 1;
  std::uint8_t timer = 0;
  std::uint32_t expires_ms = 0;
  std::optional<bool> ipv6_only = std::nullopt;
  std::uint32_t device = 0;  ///< the interface that it is bound to, by its index
};

/// A TIME-WAIT minisock.
inline SocketSpec time_wait(SocketSpec spec, std::uint32_t expires_ms = 60'000) {
  spec.state = 6;
  spec.timer = 3;
  spec.expires_ms = expires_ms;
  return spec;
}

template <class T>
void append_bytes(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// A netlink message with this payload.
inline std::string netlink_message(std::uint16_t type, const std::string& payload,
                                   std::uint32_t sequence = 1, std::uint16_t flags = NLM_F_MULTI) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof(header) + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  std::string message;
  append_bytes(message, header);
  message += payload;
  message.resize(NLMSG_ALIGN(message.size()));
  return message;
}

/// NLMSG_DONE or NLMSG_ERROR with its number: 0 or a negative errno.
inline std::string netlink_status(std::uint16_t type, std::int32_t error,
                                  std::uint32_t sequence = 1) {
  std::string payload;
  append_bytes(payload, error);
  return netlink_message(type, payload, sequence);
}

inline std::string socket_payload(const SocketSpec& spec) {
  inet_diag_msg message{};
  const bool is_ipv6 = std::strchr(spec.local, ':') != nullptr;
  message.idiag_family = is_ipv6 ? AF_INET6 : AF_INET;
  message.idiag_state = spec.state;
  message.idiag_timer = spec.timer;
  message.idiag_expires = spec.expires_ms;
  message.id.idiag_sport = htons(spec.local_port);
  message.id.idiag_dport = htons(spec.remote_port);
  message.id.idiag_if = spec.device;
  inet_pton(message.idiag_family, spec.local, &message.id.idiag_src);
  inet_pton(message.idiag_family,
            is_ipv6 && std::strcmp(spec.remote, "0.0.0.0") == 0 ? "::" : spec.remote,
            &message.id.idiag_dst);
  std::string payload;
  append_bytes(payload, message);
  if (spec.ipv6_only) {
    rtattr attribute{};
    attribute.rta_len = RTA_LENGTH(1);
    attribute.rta_type = INET_DIAG_SKV6ONLY;
    append_bytes(payload, attribute);
    payload += static_cast<char>(*spec.ipv6_only);
    payload.resize(NLMSG_ALIGN(payload.size()));
  }
  return payload;
}

inline std::string socket_message(const SocketSpec& spec, std::uint32_t sequence = 1) {
  return netlink_message(SOCK_DIAG_BY_FAMILY, socket_payload(spec), sequence);
}

}  // namespace timewait::test
