#pragma once

#include <chrono>

namespace timewait {

using SteadyTime = std::chrono::steady_clock::time_point;

}  // namespace timewait
