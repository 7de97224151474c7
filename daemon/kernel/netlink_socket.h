#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "collectors/kernel.h"

struct nl_sock;

namespace timewait {

/// A NETLINK_SOCK_DIAG socket that asks for dumps and nothing else (sock_diag(7)).
///
/// Performance: receives into one buffer of 32 KiB that it keeps, which is as much as the kernel
/// packs into a message (netlink_dump, net/netlink/af_netlink.c); no look-ahead receive, no
/// allocation per message. libnl makes the socket and the request; its receive path would do both.
/// Errors: after any failure the socket is closed, so that left-over messages of a broken dump are
/// never taken for the next one's; it is opened again on the next dump.
/// Threads: one at a time. The socket belongs to the network namespace of the thread that opens it.
class NetlinkSocket {
 public:
  NetlinkSocket();
  NetlinkSocket(const NetlinkSocket&) = delete;
  NetlinkSocket& operator=(const NetlinkSocket&) = delete;
  NetlinkSocket(NetlinkSocket&&) = delete;
  NetlinkSocket& operator=(NetlinkSocket&&) = delete;
  ~NetlinkSocket();

  Result<void> dump(const SocketDump& dump, const Kernel::OnBuffer& on_buffer);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };

  Result<void> open();
  Result<std::uint32_t> send_request(const SocketDump& dump);
  Result<std::span<const std::byte>> receive();
  Result<void> receive_all(std::uint32_t sequence, const Kernel::OnBuffer& on_buffer);

  std::unique_ptr<nl_sock, Free> socket_;
  std::vector<std::byte> buffer_;
};

}  // namespace timewait
