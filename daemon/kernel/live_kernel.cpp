#include "daemon/kernel/live_kernel.h"

#include <unistd.h>

namespace timewait {

std::uint64_t LiveKernel::page_size() const {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace timewait
