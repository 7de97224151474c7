#include "daemon/kernel/perf_ring.h"

#include <limits>
#include <string>

namespace timewait {
namespace {

/// What is handed over between two positions of a ring of 16 bytes that holds its own offsets.
std::string read(std::uint64_t tail, std::uint64_t head) {
  const std::string ring = "0123456789abcdef";
  std::string handed_over;
  read_ring(std::as_bytes(std::span(ring)), tail, head, [&](std::span<const std::byte> records) {
    handed_over.append(reinterpret_cast<const char*>(records.data()), records.size());
  });
  return handed_over;
}

TEST(ReadRing, JoinsWhatGoesOnAtTheBeginning) {
  EXPECT_EQ(read(0, 4), "0123");
  EXPECT_EQ(read(12, 16), "cdef") << "up to the very end";
  EXPECT_EQ(read(16, 20), "0123") << "the second time round";
  EXPECT_EQ(read(14, 18), "ef01");
  EXPECT_EQ(read(16 * 1000 + 15, 16 * 1000 + 17), "f0");
}

TEST(ReadRing, HandsOverAFullRing) {
  EXPECT_EQ(read(0, 16), "0123456789abcdef");
  EXPECT_EQ(read(21, 37), "56789abcdef01234");
}

TEST(ReadRing, GoesOnWhereThePositionsBeginAnew) {
  const std::uint64_t tail = std::numeric_limits<std::uint64_t>::max() - 1;
  EXPECT_EQ(read(tail, tail + 4), "ef01");
}

TEST(ReadRing, NeverReadsMoreThanTheRing) { EXPECT_EQ(read(3, 1000).size(), 16U); }

TEST(ComputeRingSize, IsAPowerOfTwoBetweenAPageAndALimit) {
  EXPECT_EQ(compute_ring_size(1, 4096), 65536U);
  EXPECT_EQ(compute_ring_size(64, 4096), 65536U);
  EXPECT_EQ(compute_ring_size(65, 4096), 32768U) << "4 MiB together";
  EXPECT_EQ(compute_ring_size(256, 4096), 16384U);
  EXPECT_EQ(compute_ring_size(8192, 4096), 4096U) << "at least a page";
  EXPECT_EQ(compute_ring_size(256, 65536), 65536U);
  EXPECT_EQ(compute_ring_size(0, 4096), 65536U);
}

}  // namespace
}  // namespace timewait
