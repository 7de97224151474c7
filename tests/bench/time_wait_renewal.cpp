#include "tests/bench/time_wait_renewal.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <vector>

#include "tests/bench/bare_walk.h"

namespace timewait::bench {

namespace {

struct Segment {
  iphdr ip;
  tcphdr tcp;
};

/// RFC 1071 over 16-bit words in network order.
template <class Header>
std::uint32_t sum_words(const Header& header) {
  std::array<std::uint16_t, sizeof(Header) / 2> words{};
  std::memcpy(words.data(), &header, sizeof(Header));
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) sum += word;
  return sum;
}

/// An ACK from the remote end of `socket`. The kernel completes the IP header's checksum.
Segment make_ack(const inet_diag_msg& socket) {
  Segment segment{};
  segment.ip.version = 4;
  segment.ip.ihl = sizeof(iphdr) / 4;
  segment.ip.ttl = 64;
  segment.ip.protocol = IPPROTO_TCP;
  segment.ip.saddr = socket.id.idiag_dst[0];
  segment.ip.daddr = socket.id.idiag_src[0];
  segment.tcp.source = socket.id.idiag_dport;
  segment.tcp.dest = socket.id.idiag_sport;
  segment.tcp.doff = sizeof(tcphdr) / 4;
  segment.tcp.ack = 1;
  const struct {
    std::uint32_t source, destination;
    std::uint16_t protocol, length;
  } pseudo_header{segment.ip.saddr, segment.ip.daddr, htons(IPPROTO_TCP), htons(sizeof(tcphdr))};
  std::uint32_t sum = sum_words(pseudo_header) + sum_words(segment.tcp);
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  segment.tcp.check = static_cast<std::uint16_t>(~sum);
  return segment;
}

/// Sends segments many at a time.
class Sender {
 public:
  Sender() : raw_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {
    if (!raw_.is_open()) throw std::system_error(errno, std::generic_category(), "a raw socket");
    segments_.reserve(kBatch);
  }

  void send(const Segment& segment) {
    segments_.push_back(segment);
    if (segments_.size() == kBatch) flush();
  }

  void flush() {
    std::vector<sockaddr_in> addresses(segments_.size());
    std::vector<iovec> vectors(segments_.size());
    std::vector<mmsghdr> messages(segments_.size());
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      addresses[i].sin_family = AF_INET;
      addresses[i].sin_addr.s_addr = segments_[i].ip.daddr;
      vectors[i] = {&segments_[i], sizeof(Segment)};
      messages[i].msg_hdr.msg_name = &addresses[i];
      messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::span<mmsghdr> rest(messages); !rest.empty();) {
      const int sent = ::sendmmsg(raw_.get(), rest.data(), static_cast<unsigned>(rest.size()), 0);
      if (sent <= 0) throw std::system_error(errno, std::generic_category(), "sending an ACK");
      rest = rest.subspan(static_cast<std::size_t>(sent));
    }
    segments_.clear();
  }

 private:
  static constexpr std::size_t kBatch = 512;

  FileDescriptor raw_;
  std::vector<Segment> segments_;
};

}  // namespace

void renew_time_wait() {
  Sender sender;
  walk_sockets(1U << kTimeWaitState, [&](const inet_diag_msg& socket) {
    if (socket.idiag_family == AF_INET) {
      sender.send(make_ack(socket));
    }
  });
  sender.flush();
}

}  // namespace timewait::bench
