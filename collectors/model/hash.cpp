#include "collectors/model/hash.h"

#include <random>

namespace timewait {

namespace {

std::uint64_t draw_secret() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

const std::uint64_t KeyedHash::kSecret = draw_secret();

}  // namespace timewait
