#pragma once

namespace timewait::bench {

/// Gives every IPv4 TIME-WAIT socket of the namespace its 60 seconds again, at about a tenth of the
/// cost of making it anew: an ACK that is out of the window re-arms the timer
/// (tcp_timewait_state_process, net/ipv4/tcp_minisocks.c). Needs CAP_NET_RAW, and the sysctl
/// tcp_rfc1337, without which the answer to the answer, a RST, would end the socket.
/// Errors: throws.
void renew_time_wait();

}  // namespace timewait::bench
