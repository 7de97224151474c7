#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>

namespace timewait::bench {

/// CPU time of one thing without and with the event that counts failed connects on all CPUs.
struct Added {
  using Nanoseconds = std::chrono::duration<double, std::nano>;

  Nanoseconds without{};  ///< the median of the rounds
  /// What the event adds: the median of the differences between two batches of a round, and the
  /// quartiles about it.
  Nanoseconds added{};
  Nanoseconds lower_quartile{};
  Nanoseconds upper_quartile{};
};

struct ConnectCost {
  /// One connect() over lo that succeeds, accept() and both close(), client first.
  Added connection;
  double connections_per_second_without = 0;
  double connections_per_second_with = 0;
  /// One firing of the tracepoint that the filter rejects: half of a listen() and a shutdown() of
  /// the same socket, which is the shortest way to make it fire.
  Added firing;
  double firings_per_connection = 0;
  /// Instructions of a connection without and with, kernel included. Absent where the machine does
  /// not count them.
  std::optional<double> instructions_without;
  std::optional<double> instructions_with;
};

/// Measures on the CPU that the caller is on, in batches without and with the event by turns.
/// Throws where the kernel refuses.
ConnectCost measure_connect_cost(const std::filesystem::path& tracefs, std::size_t rounds,
                                 std::size_t connections);

}  // namespace timewait::bench
