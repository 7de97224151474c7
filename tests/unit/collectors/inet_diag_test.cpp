#include "collectors/parse/inet_diag.h"

#include <vector>

#include "tests/support/socket_message.h"

namespace timewait::parse {
namespace {

using test::netlink_message;
using test::netlink_status;
using test::socket_message;
using test::SocketSpec;
using ::testing::HasSubstr;

struct Parsed {
  Result<DumpProgress> progress;
  std::vector<Socket> sockets;
};

Parsed parse(std::string_view bytes, std::optional<std::uint32_t> sequence = std::nullopt) {
  std::vector<Socket> sockets;
  auto progress = parse_socket_dump({std::as_bytes(std::span(bytes)), sequence},
                                    [&](const Socket& socket) { sockets.push_back(socket); });
  return {std::move(progress), std::move(sockets)};
}

Socket parse_one(const SocketSpec& spec) {
  const Parsed parsed = parse(socket_message(spec));
  EXPECT_TRUE(parsed.progress) << parsed.progress.error().text();
  EXPECT_EQ(parsed.sockets.size(), 1U);
  return parsed.sockets.empty() ? Socket{} : parsed.sockets.front();
}

TEST(ParseSocketDump, ReadsAnIpv4Connection) {
  const Socket socket = parse_one({.local = "192.0.2.1",
                                   .local_port = 40000,
                                   .remote = "198.51.100.7",
                                   .remote_port = 443,
                                   .state = 1});
  EXPECT_EQ(to_string(socket.local), "192.0.2.1");
  EXPECT_EQ(socket.local_port, 40000);
  EXPECT_EQ(to_string(socket.remote), "198.51.100.7");
  EXPECT_EQ(socket.remote_port, 443);
  EXPECT_EQ(socket.state, TcpState::kEstablished);
  EXPECT_FALSE(socket.is_minisock);
}

TEST(ParseSocketDump, FoldsIpv4MappedAddresses) {
  const Socket socket = parse_one({.local = "::ffff:192.0.2.1", .remote = "::ffff:192.0.2.2"});
  EXPECT_EQ(socket.local.family(), Family::kIpv4);
  EXPECT_EQ(to_string(socket.local), "192.0.2.1");
  EXPECT_EQ(to_string(socket.remote), "192.0.2.2");
}

TEST(ParseSocketDump, KeepsIpv6Addresses) {
  EXPECT_EQ(to_string(parse_one({.local = "2001:db8::1", .remote = "2001:db8::2"}).local),
            "2001:db8::1");
}

TEST(ParseSocketDump, TellsAFinWait2MinisockFromAFullSocket) {
  const Socket minisock = parse_one({.state = 5, .timer = 3, .expires_ms = 1500});
  EXPECT_EQ(minisock.state, TcpState::kFinWait2);
  EXPECT_TRUE(minisock.is_minisock);
  EXPECT_EQ(minisock.expires_in, std::chrono::milliseconds(1500));
  EXPECT_FALSE(parse_one({.state = 5, .timer = 2, .expires_ms = 1500}).is_minisock);
}

TEST(ParseSocketDump, ReadsIpv6OnlyOfAListener) {
  const SocketSpec listener{.local = "::", .local_port = 80, .state = 10, .ipv6_only = true};
  EXPECT_EQ(parse_one(listener).ipv6_only, true);
  SocketSpec dual = listener;
  dual.ipv6_only = false;
  EXPECT_EQ(parse_one(dual).ipv6_only, false);
  SocketSpec silent = listener;
  silent.ipv6_only.reset();
  EXPECT_EQ(parse_one(silent).ipv6_only, std::nullopt);
}

TEST(ParseSocketDump, CountsARequestSocketAsSynRecv) {
  EXPECT_EQ(parse_one({.state = 12}).state, TcpState::kSynRecv);
}

TEST(ParseSocketDump, EndsAtDone) {
  const Parsed parsed =
      parse(socket_message({}) + netlink_status(NLMSG_DONE, 0) + socket_message({}));
  ASSERT_TRUE(parsed.progress);
  EXPECT_EQ(*parsed.progress, DumpProgress::kDone);
  EXPECT_EQ(parsed.sockets.size(), 1U) << "what follows NLMSG_DONE is not of this dump";
}

TEST(ParseSocketDump, WantsMoreWithoutDone) {
  const Parsed parsed = parse(socket_message({}));
  ASSERT_TRUE(parsed.progress);
  EXPECT_EQ(*parsed.progress, DumpProgress::kMore);
}

TEST(ParseSocketDump, SkipsAnotherRequestsAnswer) {
  const std::string stale = socket_message({}, 7) + netlink_status(NLMSG_DONE, -2, 7);
  const Parsed parsed = parse(stale + socket_message({}, 8), 8);
  ASSERT_TRUE(parsed.progress) << parsed.progress.error().text();
  EXPECT_EQ(*parsed.progress, DumpProgress::kMore);
  EXPECT_EQ(parsed.sockets.size(), 1U);
}

TEST(ParseSocketDump, SkipsForeignTypesAndAcknowledgements) {
  const Parsed parsed = parse(netlink_message(77, "payload") + netlink_status(NLMSG_ERROR, 0) +
                              netlink_message(NLMSG_NOOP, ""));
  ASSERT_TRUE(parsed.progress);
  EXPECT_TRUE(parsed.sockets.empty());
}

struct Failure {
  const char* what;
  std::string bytes;
  ErrorReason reason;
  const char* says;
};

class ParseSocketDumpFails : public ::testing::TestWithParam<Failure> {};

TEST_P(ParseSocketDumpFails, WithReasonAndDetail) {
  const Parsed parsed = parse(GetParam().bytes);
  ASSERT_FALSE(parsed.progress) << GetParam().what << " was taken for good";
  EXPECT_EQ(parsed.progress.error().reason, GetParam().reason) << GetParam().what;
  EXPECT_THAT(parsed.progress.error().detail, HasSubstr(GetParam().says)) << GetParam().what;
}

std::string with_length(std::string message, std::uint32_t length) {
  std::memcpy(message.data(), &length, sizeof(length));
  return message;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseSocketDumpFails,
    ::testing::Values(
        Failure{"a missing module in NLMSG_DONE", netlink_status(NLMSG_DONE, -ENOENT),
                ErrorReason::kUnavailable, "modprobe tcp_diag"},
        Failure{"an unknown request", netlink_status(NLMSG_ERROR, -EINVAL),
                ErrorReason::kUnavailable, "Invalid argument"},
        Failure{"a refusal", netlink_status(NLMSG_ERROR, -EPERM), ErrorReason::kPermission,
                "not permitted"},
        Failure{"no buffers", netlink_status(NLMSG_ERROR, -ENOBUFS), ErrorReason::kInterrupted,
                "buffer"},
        Failure{"an odd errno", netlink_status(NLMSG_DONE, -EIO), ErrorReason::kIo, "Input/output"},
        Failure{"the smallest number", netlink_status(NLMSG_ERROR, INT32_MIN), ErrorReason::kIo,
                "the kernel refuses"},
        Failure{"the smallest number in NLMSG_DONE", netlink_status(NLMSG_DONE, INT32_MIN),
                ErrorReason::kIo, "the kernel refuses"},
        Failure{"a positive error", netlink_status(NLMSG_ERROR, 5), ErrorReason::kMalformed,
                "positive number 5"},
        Failure{"an error without number", netlink_message(NLMSG_ERROR, ""),
                ErrorReason::kMalformed, "without an error number"},
        Failure{"an interrupted dump",
                netlink_message(SOCK_DIAG_BY_FAMILY, test::socket_payload({}), 1,
                                NLM_F_MULTI | NLM_F_DUMP_INTR),
                ErrorReason::kInterrupted, "NLM_F_DUMP_INTR"},
        Failure{"an overrun", netlink_message(NLMSG_OVERRUN, ""), ErrorReason::kInterrupted,
                "NLMSG_OVERRUN"},
        Failure{"half a header", std::string(7, '\0'), ErrorReason::kMalformed,
                "expected a netlink header of 16 bytes, found 7"},
        Failure{"a length of 0", with_length(socket_message({}), 0), ErrorReason::kMalformed,
                "length 0"},
        Failure{"a length beyond the buffer", with_length(socket_message({}), 4000),
                ErrorReason::kMalformed, "length 4000"},
        Failure{"the largest length", with_length(socket_message({}), UINT32_MAX),
                ErrorReason::kMalformed, "length 4294967295"},
        Failure{"a short inet_diag_msg",
                netlink_message(SOCK_DIAG_BY_FAMILY, test::socket_payload({}).substr(0, 40)),
                ErrorReason::kMalformed, "expected an inet_diag_msg of 72 bytes, found 40"},
        Failure{"state 0", socket_message({.state = 0}), ErrorReason::kMalformed, "state 0"},
        Failure{"state 99", socket_message({.state = 99}), ErrorReason::kMalformed, "state 99"},
        Failure{"family 0",
                netlink_message(SOCK_DIAG_BY_FAMILY,
                                [] {
                                  std::string payload = test::socket_payload({});
                                  payload[0] = 0;
                                  return payload;
                                }()),
                ErrorReason::kMalformed, "address family 0"}),
    [](const auto& row) { return std::to_string(row.index); });

TEST(ParseSocketDump, SurvivesEveryTruncation) {
  const std::string whole =
      socket_message({.local = "::", .local_port = 80, .state = 10, .ipv6_only = true}) +
      netlink_status(NLMSG_DONE, 0);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    // A buffer of exactly that size on the heap: the sanitizer sees a read past its end.
    const std::vector<char> bytes(whole.begin(),
                                  whole.begin() + static_cast<std::ptrdiff_t>(length));
    const Parsed parsed = parse({bytes.data(), bytes.size()});
    EXPECT_LE(parsed.sockets.size(), 1U);
  }
}

TEST(ParseSocketDump, SurvivesBrokenAttributes) {
  std::string payload = test::socket_payload({.local = "::", .state = 10});
  for (const unsigned length : {0U, 1U, 3U, 4U, 5U, 200U, 65535U}) {
    std::string broken = payload;
    rtattr attribute{};
    attribute.rta_len = static_cast<std::uint16_t>(length);
    attribute.rta_type = INET_DIAG_SKV6ONLY;
    test::append_bytes(broken, attribute);
    const Parsed parsed = parse(netlink_message(SOCK_DIAG_BY_FAMILY, broken));
    ASSERT_EQ(parsed.sockets.size(), 1U) << "attribute length " << length;
    EXPECT_EQ(parsed.sockets.front().ipv6_only, std::nullopt) << "attribute length " << length;
  }
}

}  // namespace
}  // namespace timewait::parse
