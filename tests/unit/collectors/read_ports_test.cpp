#include "collectors/read_ports.h"

#include "tests/support/memory_kernel.h"
#include "tests/support/sockets.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::connection;
using test::forbidden;
using test::MemoryKernel;
using test::minisock;

constexpr const char* kReuse = "sys/net/ipv4/tcp_tw_reuse";
constexpr const char* kTimestamps = "sys/net/ipv4/tcp_timestamps";
constexpr const char* kDelay = "sys/net/ipv4/tcp_tw_reuse_delay";
constexpr TimeWaitReuse::Time kNow{1h + 500ms};

struct Row {
  const char* reuse;
  const char* timestamps;
  const char* delay;  // null where the kernel has none
  bool far, near;     // whether a TIME-WAIT of 800 ms is reusable, by its remote end
};

class ReadTimeWaitReuse : public ::testing::TestWithParam<Row> {};

TEST_P(ReadTimeWaitReuse, FollowsTheSysctls) {
  const Row& row = GetParam();
  MemoryKernel kernel;
  kernel.proc[kReuse] = std::string(row.reuse);
  kernel.proc[kTimestamps] = std::string(row.timestamps);
  if (row.delay != nullptr) kernel.proc[kDelay] = std::string(row.delay);
  const auto reuse = read_time_wait_reuse(kernel, kNow);
  ASSERT_TRUE(reuse) << reuse.error().text();
  ASSERT_TRUE(*reuse);
  const Socket far = connection("192.0.2.1", 40000);
  const Socket near = connection("127.0.0.1", 40000, {"127.0.0.1", 80});
  EXPECT_EQ((*reuse)->is_reusable(minisock(far, 59200ms)), row.far);
  EXPECT_EQ((*reuse)->is_reusable(minisock(near, 59200ms)), row.near);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReadTimeWaitReuse,
    ::testing::Values(Row{"0\n", "1\n", "100\n", false, false},
                      Row{"1\n", "1\n", "100\n", true, true},
                      Row{"2\n", "1\n", "100\n", false, true},
                      Row{"2\n", "1\n", "1000\n", false, false},  // too young
                      Row{"1\n", "0\n", "100\n", false, false},   // nobody has timestamps
                      Row{"1\n", "2\n", "100\n", true, true},     // timestamps without an offset
                      Row{"1\n", "1\n", nullptr, true, true},     // half a second into a new one
                      Row{"2\n", "1\n", nullptr, false, true}),
    [](const auto& row) { return std::to_string(row.index); });

TEST(ReadTimeWaitReuse, IsAbsentWhereTheKernelDoesNotOfferIt) {
  for (const char* missing : {kReuse, kTimestamps}) {
    MemoryKernel kernel;
    kernel.proc[kReuse] = "1\n";
    kernel.proc[kTimestamps] = "1\n";
    kernel.proc.erase(missing);
    const auto reuse = read_time_wait_reuse(kernel, kNow);
    ASSERT_TRUE(reuse) << missing;
    EXPECT_FALSE(*reuse) << missing;
  }
}

TEST(ReadTimeWaitReuse, NamesTheFileThatCannotBeRead) {
  for (const char* broken : {kReuse, kTimestamps, kDelay}) {
    MemoryKernel kernel;
    for (const char* path : {kReuse, kTimestamps, kDelay}) kernel.proc[path] = "1\n";
    kernel.proc[broken] = "soon\n";
    const auto malformed = read_time_wait_reuse(kernel, kNow);
    ASSERT_FALSE(malformed) << broken;
    EXPECT_EQ(malformed.error().reason, ErrorReason::kMalformed);
    EXPECT_EQ(malformed.error().source, "/proc/" + std::string(broken));

    kernel.proc[broken] = forbidden("/proc/" + std::string(broken));
    const auto denied = read_time_wait_reuse(kernel, kNow);
    ASSERT_FALSE(denied) << broken << ": what may not be read is not what does not exist";
    EXPECT_EQ(denied.error().reason, ErrorReason::kPermission);
  }
}

TEST(ReadEphemeralPorts, NeedBothSysctls) {
  constexpr const char* kRange = "sys/net/ipv4/ip_local_port_range";
  constexpr const char* kReserved = "sys/net/ipv4/ip_local_reserved_ports";
  MemoryKernel kernel;
  kernel.proc[kRange] = "40000\t40009\n";
  kernel.proc[kReserved] = "40003,40005-40006\n";
  const auto ports = read_ephemeral_ports(kernel);
  ASSERT_TRUE(ports) << ports.error().text();
  EXPECT_EQ(ports->capacity.size(), 7U);
  EXPECT_EQ(ports->reserved, 3U);

  kernel.proc[kReserved] = "\n";
  EXPECT_EQ(read_ephemeral_ports(kernel)->capacity.size(), 10U) << "none is reserved";
  kernel.proc[kReserved] = "40003,\x01\n";
  const auto malformed = read_ephemeral_ports(kernel);
  ASSERT_FALSE(malformed);
  EXPECT_EQ(malformed.error().source, "/proc/" + std::string(kReserved));
  kernel.proc[kRange] = "40009 40000\n";
  EXPECT_EQ(read_ephemeral_ports(kernel).error().source, "/proc/" + std::string(kRange));
}

TEST(ReadKernelRelease, IsNothingWhereItIsNotARelease) {
  MemoryKernel kernel;
  EXPECT_FALSE(read_kernel_release(kernel));
  kernel.proc["sys/kernel/osrelease"] = "next\n";
  EXPECT_FALSE(read_kernel_release(kernel));
  kernel.proc["sys/kernel/osrelease"] = "4.6.0-1-amd64\n";
  EXPECT_EQ(*read_kernel_release(kernel), (parse::KernelRelease{4, 6}));
}

}  // namespace
}  // namespace timewait
