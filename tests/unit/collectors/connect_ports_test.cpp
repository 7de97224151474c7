#include "collectors/model/connect_ports.h"

#include <algorithm>

#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::connection;
using test::connections;
using test::Destination;
using test::idle_socket;
using test::minisock;
using test::operator+;

constexpr const char* kHere = "192.0.2.1";
constexpr const char* kHereToo = "192.0.2.2";
constexpr Destination kWeb{"198.51.100.7", 80};
constexpr Destination kOtherPort{"198.51.100.7", 81};
constexpr Destination kOtherHost{"198.51.100.8", 80};
constexpr std::size_t kEnoughTuples = 100;

/// The range of the kernel's live matrix: even ports are the preferred half.
constexpr PortRange kRange{40000, 40009};

struct Pass {
  std::vector<Socket> idle = {};
  std::vector<Socket> remembered_idle = {};
  std::vector<Socket> explicit_binds = {};
  std::vector<Socket> clients = {};
  std::vector<Socket> servers = {};
  std::size_t limit = 20;
};

ConnectPorts::Conditions conditions(const PortRange& range = kRange,
                                    const std::vector<std::uint16_t>& reserved = {}) {
  PortSet taken_out;
  for (const std::uint16_t port : reserved) taken_out.insert(port);
  return {.ports = compute_ephemeral_ports(range, taken_out), .reuse = {}};
}

void feed(ConnectPorts& ports, const Pass& pass) {
  for (const Socket& socket : pass.remembered_idle) ports.add_remembered_idle(socket);
  for (const Socket& socket : pass.idle) ports.add_idle(socket);
  for (const Socket& socket : pass.explicit_binds) ports.add_explicit_bind(socket);
  for (const Socket& socket : pass.clients) ports.add(socket, false);
  for (const Socket& socket : pass.servers) ports.add(socket, true);
}

ConnectReport report_of(ConnectPorts& ports, const Pass& pass,
                        const ConnectPorts::Conditions& at = conditions()) {
  ports.begin_pass(at);
  feed(ports, pass);
  return ports.end_pass(pass.limit);
}

ConnectReport report_of(const Pass& pass, const ConnectPorts::Conditions& at = conditions()) {
  ConnectPorts ports(kEnoughTuples);
  return report_of(ports, pass, at);
}

/// Nothing for a tuple that is not in the report.
std::optional<ConnectUsage> find(const ConnectReport& report, const char* local,
                                 const Destination& to) {
  const ConnectTuple wanted{address(local), address(to.address), to.port};
  const auto found = std::ranges::find(report.top, wanted, &ConnectUsage::tuple);
  return found == report.top.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::uint64_t> used(const ConnectReport& report, const Destination& to = kWeb,
                                  const char* local = kHere) {
  const auto usage = find(report, local, to);
  return usage ? std::optional(usage->used) : std::nullopt;
}

std::vector<unsigned> list(const PortSet& ports) {
  std::vector<unsigned> numbers;
  ports.for_each([&](std::uint16_t port) { numbers.push_back(port); });
  return numbers;
}

using Ports = std::vector<unsigned>;

const std::initializer_list<std::uint16_t> kEven{40000, 40002, 40004, 40006, 40008};
const std::initializer_list<std::uint16_t> kAll{40000, 40001, 40002, 40003, 40004,
                                                40005, 40006, 40007, 40008, 40009};

// The kernel's live matrix, row by row.

TEST(ConnectPorts, TenConnectsUseUpTenPorts) {
  const auto report = report_of({.clients = connections(kHere, kWeb, kAll)});
  EXPECT_EQ(used(report), 10U);
  EXPECT_DOUBLE_EQ(report.usage_ratio_max, 1);
  EXPECT_EQ(report.tuples, 1U);
  EXPECT_EQ(report.sockets, 10U);
}

TEST(ConnectPorts, AnotherDestinationOrAddressHasTenMore) {
  const auto report = report_of(
      {.clients = connections(kHere, kWeb, kAll) + connections(kHere, kOtherPort, {40000}) +
                  connections(kHere, kOtherHost, {40002}) + connections(kHereToo, kWeb, {40004})});
  EXPECT_EQ(used(report), 10U);
  EXPECT_EQ(used(report, kOtherPort), 1U);
  EXPECT_EQ(used(report, kOtherHost), 1U);
  EXPECT_EQ(used(report, kWeb, kHereToo), 1U);
  EXPECT_TRUE(report.blocked.inferred.empty()) << "connect() took the odd ports itself";
}

TEST(ConnectPorts, Ipv6HasTenMoreOnTheSamePorts) {
  constexpr Destination kIpv6{"2001:db8::7", 80};
  const auto report = report_of({.clients = connections(kHere, kWeb, kAll) +
                                            connections("2001:db8::1", kIpv6, {40000, 40002})});
  EXPECT_EQ(used(report, kIpv6, "2001:db8::1"), 2U);
}

TEST(ConnectPorts, MappedIpv4IsTheSameTuple) {
  constexpr Destination kMapped{"::ffff:198.51.100.7", 80};
  const auto report =
      report_of({.clients = connections(kHere, kWeb, {40000}) +
                            connections("::ffff:192.0.2.1", kMapped, {40002, 40004})});
  EXPECT_EQ(used(report), 3U);
  EXPECT_EQ(report.tuples, 1U);
}

TEST(ConnectPorts, AConnectionThatWasBoundToPortZeroBlocksItsPortForEveryDestination) {
  const auto report = report_of({.clients = connections(kHere, kWeb, {40001, 40003, 40005}) +
                                            connections(kHere, kOtherPort, {40000}) +
                                            connections(kHereToo, kOtherHost, {40002})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40001, 40003, 40005}));
  EXPECT_EQ(used(report), 3U);
  EXPECT_EQ(used(report, kOtherPort), 4U);
  EXPECT_EQ(used(report, kOtherHost, kHereToo), 4U);
}

TEST(ConnectPorts, IdleSocketsOfAnyKindBlockTheirPortForEveryFamily) {
  const auto report =
      report_of({.idle = {idle_socket("::", 40000, true), idle_socket("127.0.0.1", 40003),
                          idle_socket(kHereToo, 40005, std::nullopt, TcpState::kBoundInactive)},
                 .clients = connections(kHere, kWeb, {40002})});
  EXPECT_EQ(list(report.blocked.observed), Ports({40000, 40003, 40005}));
  EXPECT_TRUE(report.blocked.inferred.empty()) << "what is observed need not be inferred";
  EXPECT_EQ(used(report), 4U);
}

TEST(ConnectPorts, AcceptedConnectionsKeepThePortBlockedAfterTheirListener) {
  ConnectPorts ports(kEnoughTuples);
  const std::vector<Socket> accepted = connections(kHere, {"203.0.113.5", 5555}, {40004});
  const auto client = connections(kHere, kWeb, {40000});
  auto report = report_of(
      ports, {.idle = {idle_socket(kHere, 40004)}, .clients = client, .servers = accepted});
  EXPECT_EQ(list(report.blocked.observed), Ports({40004}));
  EXPECT_EQ(used(report), 2U);

  report = report_of(ports, {.clients = client, .servers = accepted});
  EXPECT_TRUE(report.blocked.observed.empty()) << "no socket shows it any longer";
  EXPECT_EQ(list(report.blocked.inferred), Ports({40004}));
  EXPECT_EQ(used(report), 2U);

  report = report_of(ports, {.clients = client + connections(kHere, kOtherHost, {40004})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40004})) << "in use at every poll since";

  report = report_of(ports, {.clients = client});
  EXPECT_EQ(used(report), 1U);
  report = report_of(ports, {.clients = client + connections(kHere, kOtherHost, {40004})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "its bucket had gone with its last socket";
  EXPECT_EQ(used(report, kOtherHost), 1U);
}

TEST(ConnectPorts, ReservedPortsAreNoPartOfTheCapacity) {
  const std::vector<Socket> bound = connections(kHere, kWeb, {40002});
  const auto report = report_of({.idle = {idle_socket(kHere, 40003)},
                                 .explicit_binds = bound,
                                 .clients = bound + connections(kHere, kWeb, {40000})},
                                conditions(kRange, {40002, 40003}));
  EXPECT_TRUE(report.blocked.observed.empty()) << "nobody loses a reserved port";
  EXPECT_EQ(used(report), 1U);
  EXPECT_DOUBLE_EQ(report.usage_ratio_max, 1.0 / 8);
}

// States.

TEST(ConnectPorts, EveryStateButCloseHoldsItsPort) {
  std::vector<Socket> sockets;
  std::uint16_t port = 40000;
  for (const TcpState state :
       {TcpState::kEstablished, TcpState::kSynSent, TcpState::kSynRecv, TcpState::kFinWait1,
        TcpState::kFinWait2, TcpState::kCloseWait, TcpState::kLastAck, TcpState::kClosing}) {
    sockets.push_back(connection(kHere, port, kWeb, state));
    port += 2;
  }
  sockets.push_back(minisock(connection(kHere, port, kWeb), 60s));
  port += 2;
  sockets.push_back(minisock(connection(kHere, port, kWeb), 60s, TcpState::kFinWait2));
  port += 2;
  sockets.push_back(connection(kHere, port, kWeb, TcpState::kClose));
  const auto report = report_of({.clients = sockets}, conditions({40000, 40099}));
  ASSERT_EQ(report.top.size(), 1U);
  EXPECT_EQ(report.top[0].used, 10U) << "all but the one in CLOSE";
  // time_wait, fin_wait2, established, syn_sent, close_wait, other
  EXPECT_THAT(report.top[0].states.counts(), ::testing::ElementsAre(1, 2, 1, 1, 1, 5));
  EXPECT_EQ(report.sockets, 11U);
}

TEST(ConnectPorts, LeavesOutTheServersConnectionsAndPortsOutsideTheRange) {
  const auto report =
      report_of({.clients = connections(kHere, kWeb, {39999, 40000, 40009, 40010, 80}),
                 .servers = connections(kHere, kOtherHost, {40002})});
  EXPECT_EQ(report.tuples, 1U);
  EXPECT_EQ(report.sockets, 2U);
}

TEST(ConnectPorts, ASocketBoundToADeviceCountsLikeAnyOther) {
  Socket bound = connection(kHere, 40000, kWeb);
  bound.device = 2;
  const auto report = report_of({.clients = {bound, connection(kHere, 40002, kWeb)}});
  EXPECT_EQ(used(report), 2U);
}

// Halves.

TEST(ConnectPorts, TheLowEndsParityIsThePreferredHalf) {
  const auto report =
      report_of({.clients = connections(kHere, kWeb, {40001, 40004})}, conditions({40001, 40010}));
  EXPECT_EQ(list(report.blocked.inferred), Ports({40004}));
  EXPECT_DOUBLE_EQ(report.preferred_usage_ratio_max.value_or(-1), 0.2);
}

TEST(ConnectPorts, ATupleThatFillsItsHalfTakesPortsOfTheOther) {
  const auto report =
      report_of({.clients = connections(kHere, kWeb, kEven) + connections(kHere, kWeb, {40003}) +
                            connections(kHere, kOtherPort, {40000, 40007})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40007})) << "the one that did not spill";
  EXPECT_EQ(used(report), 7U) << "its 6 ports and the blocked one";
  EXPECT_EQ(used(report, kOtherPort), 2U) << "40003 is closed to the other tuple alone";
  EXPECT_DOUBLE_EQ(report.preferred_usage_ratio_max.value_or(-1), 1);
}

TEST(ConnectPorts, BlockedPortsHelpToFillAHalf) {
  const auto report =
      report_of({.idle = {idle_socket(kHere, 40000), idle_socket(kHere, 40002)},
                 .clients = connections(kHere, kWeb, {40004, 40006, 40008, 40001})});
  EXPECT_TRUE(report.blocked.inferred.empty());
  EXPECT_EQ(used(report), 6U);
  EXPECT_DOUBLE_EQ(report.preferred_usage_ratio_max.value_or(-1), 1);
}

TEST(ConnectPorts, ReusableSocketsDoNotEmptyAHalfInHindsight) {
  auto at = conditions();
  at.reuse = {TimeWaitReuse::Scope::kEverywhere,
              {.in_whole_seconds = false, .delay = 1s},
              TimeWaitReuse::Time{1h}};
  std::vector<Socket> sockets = connections(kHere, kWeb, {40003});
  for (const Socket& socket : connections(kHere, kWeb, kEven)) {
    sockets.push_back(minisock(socket, 30s));
  }
  const auto report = report_of({.clients = sockets}, at);
  EXPECT_TRUE(report.blocked.inferred.empty())
      << "connect() took 40003 while the TIME-WAIT sockets were young";
  EXPECT_EQ(used(report), 1U);
  EXPECT_EQ(report.top.at(0).reusable, 5U);
}

TEST(ConnectPorts, WhatSpilledIsRememberedWhileThePortIsInUse) {
  ConnectPorts ports(kEnoughTuples);
  const std::vector<Socket> odd = connections(kHere, kWeb, {40003});
  report_of(ports, {.clients = connections(kHere, kWeb, kEven) + odd});
  auto report = report_of(ports, {.clients = odd + connections(kHere, kOtherHost, {40000})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "connect() had chosen it";
  EXPECT_EQ(used(report), 1U);
  EXPECT_EQ(used(report, kOtherHost), 1U);

  report_of(ports, {});
  report = report_of(ports, {.clients = odd});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40003})) << "this is another socket's choice";
}

TEST(ConnectPorts, WhatBindTookStaysClosedWhenItsTupleSpills) {
  ConnectPorts ports(kEnoughTuples);
  const std::vector<Socket> bound = connections(kHere, kWeb, {40001, 40003});
  report_of(ports, {.clients = bound});
  const std::vector<Socket> spilled =
      connections(kHere, kWeb, kEven) + connections(kHere, kWeb, {40005});
  auto report =
      report_of(ports, {.clients = bound + spilled + connections(kHere, kOtherHost, {40000})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40001, 40003})) << "40005 is connect()'s";
  EXPECT_EQ(used(report), 8U);
  EXPECT_EQ(used(report, kOtherHost), 3U);

  // The ports are free in between, and another tuple that has spilled takes one.
  report = report_of(ports, {.clients = connections(kHere, kOtherHost, kEven) +
                                        connections(kHere, kOtherHost, {40001})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "another quadruplet, another choice";
}

TEST(ConnectPorts, WhatWasTakenForBindsIsNotWhereTwoConnectionsOfOneAddressShareIt) {
  ConnectPorts ports(kEnoughTuples);
  const std::vector<Socket> odd = connections(kHere, kWeb, {40001});
  report_of(ports, {.clients = odd});
  for (const bool first : {true, false}) {
    const std::vector<Socket> other = connections(kHere, kOtherHost, {40001});
    const auto report = report_of(ports, {.clients = first ? odd + other : other + odd});
    EXPECT_TRUE(report.blocked.inferred.empty());
    EXPECT_EQ(used(report), 1U);
    EXPECT_EQ(used(report, kOtherHost), 1U);
  }
}

TEST(ConnectPorts, TwoConnectionsOfOneAddressShareOnlyWhatConnectChose) {
  const auto report = report_of(
      {.clients = connections(kHere, kWeb, {40003}) + connections(kHere, kOtherHost, {40003})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "bind(addr, 0) gives a port to one socket";
  EXPECT_EQ(used(report), 1U);
  EXPECT_EQ(used(report, kOtherHost), 1U);
}

TEST(ConnectPorts, TwoMinisocksOfOneAddressMayBothHaveBoundWithReuseaddr) {
  const Socket web = minisock(connection(kHere, 40003, kWeb), 30s);
  const Socket other = minisock(connection(kHere, 40003, kOtherHost), 30s);
  for (const auto& pair : {std::vector{web, other}, std::vector{other, web}}) {
    const auto report = report_of({.clients = pair});
    EXPECT_EQ(list(report.blocked.inferred), Ports({40003})) << "no sign that connect() chose it";
    EXPECT_EQ(used(report), 1U);
    EXPECT_EQ(used(report, kOtherHost), 1U);
  }
}

TEST(ConnectPorts, TwoMinisocksAreJudgedByTheHolderWithMorePreferredPorts) {
  const Socket web = minisock(connection(kHere, 40003, kWeb), 30s);
  const Socket other = minisock(connection(kHere, 40003, kOtherHost), 30s);
  for (const auto& pair : {std::vector{web, other}, std::vector{other, web}}) {
    const auto report = report_of({.clients = connections(kHere, kWeb, kEven) + pair});
    EXPECT_TRUE(report.blocked.inferred.empty()) << "one of the two had to take an odd port";
  }
}

TEST(ConnectPorts, TwoConnectionsOfTwoAddressesMayBothHaveBound) {
  const auto report = report_of(
      {.clients = connections(kHere, kWeb, {40003}) + connections(kHereToo, kWeb, {40003})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40003}));
  EXPECT_EQ(used(report), 1U) << "one port, however many sockets hold it";
  EXPECT_EQ(used(report, kWeb, kHereToo), 1U);
}

TEST(ConnectPorts, APortIsJudgedByTheHolderWithMorePreferredPorts) {
  const auto report =
      report_of({.clients = connections(kHere, kWeb, kEven) + connections(kHereToo, kWeb, {40003}) +
                            connections(kHere, kWeb, {40003})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "one of the two had to take an odd port";
}

TEST(ConnectPorts, OnePortOfAnOddRangeIsNotLookedAt) {
  // 6 ports are preferred, 5 of which one search looks at.
  const PortRange odd_size{40000, 40010};
  const auto four = connections(kHere, kWeb, {40000, 40002, 40004, 40006});
  const auto odd = connections(kHere, kWeb, {40001});
  EXPECT_EQ(list(report_of({.clients = four + odd}, conditions(odd_size)).blocked.inferred),
            Ports({40001}));
  const auto report =
      report_of({.clients = four + connections(kHere, kWeb, {40010}) + odd}, conditions(odd_size));
  EXPECT_TRUE(report.blocked.inferred.empty());
  EXPECT_EQ(used(report), 6U);
}

TEST(ConnectPorts, BeforeTheHalvesParityToldNothing) {
  auto at = conditions();
  at.has_preferred_half = false;
  const auto report = report_of({.idle = {idle_socket(kHere, 40005)},
                                 .clients = connections(kHere, kWeb, {40001, 40002, 40003})},
                                at);
  EXPECT_TRUE(report.blocked.inferred.empty());
  EXPECT_EQ(used(report), 4U);
  EXPECT_EQ(report.preferred_usage_ratio_max, std::nullopt);
}

TEST(ConnectPorts, AMovedRangeMakesNoBindOutOfAConnect) {
  ConnectPorts ports(kEnoughTuples);
  const auto even = connections(kHere, kWeb, {40002, 40004});
  const auto odd = connections(kHere, kOtherHost, {40005});
  report_of(ports, {.clients = even + odd});
  // Now the odd ones are preferred.
  const auto moved = conditions({40001, 40010});
  auto report = report_of(ports, {.clients = even + odd}, moved);
  EXPECT_EQ(list(report.blocked.inferred), Ports({40005})) << "closed at the poll before";
  EXPECT_EQ(used(report), 3U);
  EXPECT_EQ(used(report, kOtherHost), 1U);
  report = report_of(ports, {.clients = even + odd + connections(kHere, kWeb, {40006})}, moved);
  EXPECT_EQ(list(report.blocked.inferred), Ports({40005, 40006})) << "40006 is new";
}

TEST(ConnectPorts, APortThatEntersTheRangeWasNotChosenFromIt) {
  ConnectPorts ports(kEnoughTuples);
  report_of(ports, {.clients = connections(kHere, kWeb, {40001})}, conditions({30000, 30009}));
  const auto report = report_of(ports, {.clients = connections(kHere, kWeb, {40001})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "its parity says nothing";
  EXPECT_EQ(used(report), 1U);
}

// No ports at all.

TEST(ConnectPorts, WithoutCapacityAllIsUsed) {
  const auto at =
      conditions(kRange, {40000, 40001, 40002, 40003, 40004, 40005, 40006, 40007, 40008, 40009});
  const auto report = report_of({.clients = connections(kHere, kWeb, {40001})}, at);
  EXPECT_EQ(used(report), 0U);
  EXPECT_DOUBLE_EQ(report.usage_ratio_max, 1) << "no connect() can succeed";
  EXPECT_EQ(report.preferred_usage_ratio_max, std::nullopt);
  EXPECT_DOUBLE_EQ(report_of({}, at).usage_ratio_max, 0) << "there is no tuple";
}

TEST(ConnectPorts, AnUnreservedOddHalfHasNoPreferredRatio) {
  const auto report = report_of({.clients = connections(kHere, kWeb, {40001})},
                                conditions(kRange, {40000, 40002, 40004, 40006, 40008}));
  EXPECT_EQ(report.preferred_usage_ratio_max, std::nullopt);
  EXPECT_TRUE(report.blocked.inferred.empty()) << "connect() has no other half";
  EXPECT_EQ(used(report), 1U);
}

TEST(ConnectPorts, ATupleOnReservedPortsAloneUsesWhatIsBlocked) {
  const auto report = report_of(
      {.idle = {idle_socket(kHere, 40005)}, .clients = connections(kHere, kWeb, {40000, 40002})},
      conditions(kRange, {40000, 40002}));
  EXPECT_EQ(used(report), 1U);
  EXPECT_EQ(report.tuples, 1U);
  EXPECT_EQ(report.sockets, 2U);
  EXPECT_DOUBLE_EQ(report.preferred_usage_ratio_max.value_or(-1), 0);
}

TEST(ConnectPorts, ARangeOfOnePortIsCounted) {
  const auto report =
      report_of({.clients = connections(kHere, kWeb, {40000})}, conditions({40000, 40000}));
  EXPECT_EQ(used(report), 1U);
  EXPECT_DOUBLE_EQ(report.usage_ratio_max, 1);
  EXPECT_DOUBLE_EQ(report.preferred_usage_ratio_max.value_or(-1), 1);
}

TEST(ConnectPorts, TheWholeSpaceOfPortsIsARangeToo) {
  const auto report =
      report_of({.clients = connections(kHere, kWeb, {1, 65535})}, conditions({1, 65535}));
  EXPECT_EQ(used(report), 2U);
  EXPECT_DOUBLE_EQ(report.usage_ratio_max, 2.0 / 65535);
}

// TIME-WAIT that connect() may take over.

TEST(ConnectPorts, ReusablePortsAreNotUsed) {
  auto at = conditions();
  at.reuse = {TimeWaitReuse::Scope::kEverywhere,
              {.in_whole_seconds = false, .delay = 1s},
              TimeWaitReuse::Time{1h}};
  const auto report =
      report_of({.idle = {idle_socket(kHere, 40008)},
                 .clients = {minisock(connection(kHere, 40000, kWeb), 58999ms),
                             minisock(connection(kHere, 40002, kWeb), 59000ms),
                             minisock(connection(kHere, 40004, kWeb), 1s, TcpState::kFinWait2),
                             minisock(connection(kHere, 40008, kWeb), 1s)}},
                at);
  EXPECT_EQ(used(report), 3U) << "too young, FIN-WAIT-2 and the listener's port";
  EXPECT_EQ(report.top.at(0).reusable, 1U);
  EXPECT_DOUBLE_EQ(report.usage_ratio_max, 0.3);
}

// Bound idle sockets that were not asked for.

TEST(ConnectPorts, ARememberedIdleSocketBlocksItsPortWithoutProof) {
  const Socket idle = idle_socket(kHereToo, 40004, std::nullopt, TcpState::kBoundInactive);
  const auto web = connections(kHere, kWeb, {40000});
  auto report = report_of({.remembered_idle = {idle}, .clients = web});
  EXPECT_TRUE(report.blocked.observed.empty());
  EXPECT_EQ(list(report.blocked.inferred), Ports({40004}));
  EXPECT_EQ(used(report), 2U);

  report =
      report_of({.remembered_idle = {idle}, .clients = web + connections(kHere, kWeb, {40004})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40004}));
  EXPECT_EQ(used(report), 2U) << "counted once, though it has connected since";

  report = report_of(
      {.idle = {idle_socket(kHereToo, 40004)}, .remembered_idle = {idle}, .clients = web});
  EXPECT_EQ(list(report.blocked.observed), Ports({40004})) << "it listens by now";
  EXPECT_TRUE(report.blocked.inferred.empty());
  EXPECT_EQ(used(report), 2U);
}

TEST(ConnectPorts, ARememberedIdleSocketIsForgottenByALookThatMissesIt) {
  ConnectPorts ports(kEnoughTuples);
  const Socket idle = idle_socket(kHere, 40004, std::nullopt, TcpState::kBoundInactive);
  report_of(ports, {.idle = {idle}});
  report_of(ports, {.remembered_idle = {idle}});
  EXPECT_TRUE(report_of(ports, {}).blocked.inferred.empty());
  const auto report = report_of(ports, {.clients = connections(kHere, kWeb, {40004})});
  EXPECT_TRUE(report.blocked.inferred.empty()) << "this is another socket's port";
  EXPECT_EQ(used(report), 1U);
}

// Explicit binds.

TEST(ConnectPorts, AnExplicitBindBlocksUntilItsTimeWaitHasGone) {
  ConnectPorts ports(kEnoughTuples);
  const Socket bound = connection(kHere, 40004, kWeb);
  const auto other = connections(kHere, kOtherHost, {40000});
  auto report =
      report_of(ports, {.explicit_binds = {bound}, .clients = other + std::vector{bound}});
  EXPECT_EQ(list(report.blocked.observed), Ports({40004}));
  EXPECT_EQ(used(report, kOtherHost), 2U);
  EXPECT_EQ(used(report), 1U) << "counted once";

  report = report_of(ports, {.clients = other + std::vector{minisock(bound, 60s)}});
  EXPECT_EQ(list(report.blocked.observed), Ports({40004})) << "no walk was taken";
  EXPECT_EQ(used(report, kOtherHost), 2U);

  report = report_of(ports, {.clients = other + connections(kHere, kOtherPort, {40004})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40004})) << "another socket keeps the bucket";
  report = report_of(ports, {.clients = other});
  EXPECT_EQ(used(report, kOtherHost), 1U);
  report = report_of(ports, {.clients = other + std::vector{bound}});
  EXPECT_EQ(used(report, kOtherHost), 1U) << "its quadruplet was forgotten with it";
}

TEST(ConnectPorts, AnExplicitBindThatThePassMissesProvesNothing) {
  const auto report = report_of({.explicit_binds = connections(kHere, kWeb, {40004}),
                                 .clients = connections(kHere, kOtherHost, {40000})});
  EXPECT_TRUE(report.blocked.observed.empty()) << "it went between the walks";
  EXPECT_EQ(used(report, kOtherHost), 1U);
}

TEST(ConnectPorts, ExplicitBindsBeyondTheRememberedOnesAreInferred) {
  ConnectPorts ports(kEnoughTuples);
  std::vector<Socket> bound;
  for (std::size_t i = 0; i <= ExplicitBinds::kMaxConnections; ++i) {
    bound.push_back(connection(kHere, static_cast<std::uint16_t>(40000 + i), kWeb));
  }
  const auto at = conditions({40000, 49999});
  report_of(ports, {.explicit_binds = bound, .clients = bound}, at);
  const auto report = report_of(ports, {.clients = bound}, at);
  EXPECT_EQ(report.blocked.observed.size(), ExplicitBinds::kMaxConnections);
  EXPECT_EQ(list(report.blocked.inferred), Ports({40000 + ExplicitBinds::kMaxConnections}));
}

TEST(ConnectPorts, AnExplicitBindOfABrokenPassIsCountedOnce) {
  ConnectPorts ports(kEnoughTuples);
  const Socket bound = connection(kHere, 40004, kWeb);
  ports.begin_pass(conditions());
  feed(ports, {.explicit_binds = {bound}});
  const auto report = report_of(ports, {.clients = {bound, connection(kHere, 40000, kOtherHost)}});
  EXPECT_EQ(list(report.blocked.observed), Ports({40004}));
  EXPECT_EQ(used(report), 1U);
  EXPECT_EQ(used(report, kOtherHost), 2U);
}

// Passes.

TEST(ConnectPorts, ABrokenPassTeachesNothing) {
  ConnectPorts ports(kEnoughTuples);
  report_of(ports, {.idle = {idle_socket(kHere, 40000)},
                    .servers = connections(kHere, {"203.0.113.5", 5}, {40000})});
  ports.begin_pass(conditions());
  feed(ports, {.idle = {idle_socket(kHere, 40002)}, .clients = connections(kHere, kWeb, kAll)});
  const auto report = report_of(ports, {.clients = connections(kHere, kWeb, {40000, 40002})});
  EXPECT_EQ(list(report.blocked.inferred), Ports({40000}));
  EXPECT_EQ(report.sockets, 2U);
  EXPECT_EQ(used(report), 2U);
}

TEST(ConnectPorts, TheTopIsOrderedByUsedReusableSocketsAndTuple) {
  auto at = conditions({40000, 40099});
  at.reuse = {TimeWaitReuse::Scope::kEverywhere,
              {.in_whole_seconds = false, .delay = 1s},
              TimeWaitReuse::Time{1h}};
  const std::vector<Socket> sockets =
      connections(kHere, {"198.51.100.1", 1}, {40000, 40002}) +
      connections(kHere, {"198.51.100.2", 2}, {40000, 40002, 40004}) +
      connections(kHere, {"198.51.100.3", 3}, {40000, 40002}) +
      connections(kHere, {"198.51.100.4", 4}, {40000, 40002}) +
      std::vector{minisock(connection(kHere, 40004, {"198.51.100.4", 4}), 1s)} +
      connections(kHere, {"198.51.100.3", 5}, {40000, 40002}) +
      std::vector{connection(kHere, 40006, {"198.51.100.3", 5}, TcpState::kClose)};
  const auto all = report_of({.clients = sockets}, at);
  std::vector<unsigned> order;
  for (const ConnectUsage& usage : all.top) order.push_back(usage.tuple.remote_port);
  EXPECT_EQ(order, Ports({2, 4, 5, 1, 3}));

  for (std::size_t limit = 0; limit <= 5; ++limit) {
    const auto some = report_of({.clients = sockets, .limit = limit}, at);
    ASSERT_EQ(some.top.size(), limit);
    for (std::size_t i = 0; i < limit; ++i) {
      EXPECT_EQ(some.top[i].tuple, all.top[i].tuple) << "place " << i << " of " << limit;
    }
    EXPECT_DOUBLE_EQ(some.usage_ratio_max, 0.03) << "shown or not";
    EXPECT_EQ(some.tuples, 5U);
    EXPECT_EQ(some.sockets, 13U);
  }
}

TEST(ConnectPorts, BeyondMaxTuplesSaysByHowMuchFiguresMayFall) {
  ConnectPorts ports(2);
  const auto report = report_of(ports, {.clients = connections(kHere, kWeb, {40000, 40002, 40004}) +
                                                   connections(kHere, kOtherPort, {40000}) +
                                                   connections(kHere, kOtherHost, {40000, 40002})});
  EXPECT_EQ(report.sockets, 6U);
  EXPECT_EQ(report.tuples, 3U);
  EXPECT_EQ(report.error_bound, 1U);
  EXPECT_EQ(used(report), 3U);
  EXPECT_EQ(used(report, kOtherPort), std::nullopt);
  EXPECT_EQ(used(report, kOtherHost), 2U);
}

/// A port of the half that is tried last, shared by two addresses: one tuple has filled its
/// preferred half, the other has not. Whatever is made of the port, it is in use by both.
TEST(ConnectPorts, ASharedPortIsUsedOnceByEachTupleThatHoldsIt) {
  std::vector<Socket> sockets = connections(kHere, kWeb, kEven) +
                                connections(kHere, kWeb, {40003}) +
                                connections(kHereToo, kWeb, {40000, 40003});
  std::ranges::sort(sockets, {}, &Socket::local_port);
  for (int order = 0; order < 2; ++order) {
    const auto report = report_of({.clients = sockets});
    EXPECT_EQ(used(report), 6U) << "order " << order;
    EXPECT_EQ(used(report, kWeb, kHereToo), 2U) << "order " << order;
    std::ranges::reverse(sockets);
  }
}

}  // namespace
}  // namespace timewait
