#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/snapshot.h"

namespace timewait::test {

/// A gzip member with that content.
std::string gzip(std::string_view plain);

/// The content of a gzip member; fails the test and is empty if it is not one.
std::string gunzip(std::string_view compressed);

/// Collectors sock_diag and netstat with one family each, and the exporter's own; every 15 seconds.
Snapshot sample_snapshot(SteadyTime taken = std::chrono::steady_clock::now());

}  // namespace timewait::test
