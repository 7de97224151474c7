#include "tests/bench/bare_walk.h"

namespace timewait::bench {

FileDescriptor request_dump(std::uint32_t states) {
  struct {
    nlmsghdr header;
    inet_diag_req body;
  } request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = TCPDIAG_GETSOCK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.idiag_family = AF_INET;
  request.body.idiag_states = states;
  FileDescriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (::send(netlink.get(), &request, sizeof(request), 0) < 0) {
    throw std::system_error(errno, std::generic_category(), "asking for a dump");
  }
  return netlink;
}

std::size_t count_by_walk(std::uint32_t states) {
  std::size_t count = 0;
  walk_sockets(states, [&](const inet_diag_msg& socket) {
    if (socket.idiag_state == kTimeWaitState) ++count;
  });
  return count;
}

}  // namespace timewait::bench
