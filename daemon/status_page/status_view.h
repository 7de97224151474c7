#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "collectors/collector.h"
#include "collectors/model/socket_table.h"
#include "collectors/model/tuples.h"
#include "daemon/status_page/verdict.h"

namespace timewait::status_page {

/// A figure, or why there is none, as the end of a sentence.
template <class T>
using Known = tl::expected<T, std::string>;

/// What the page shows at most of each kind; the rest is counted.
inline constexpr std::size_t kMostDestinations = 10;
inline constexpr std::size_t kMostFailures = 10;

/// The ephemeral ports of a network namespace.
struct EphemeralRange {
  std::optional<std::uint64_t> lowest{};  ///< of the range; absent without the collector sysctl
  std::optional<std::uint64_t> highest{};
  std::uint64_t capacity = 0;
  std::uint64_t reserved = 0;
  std::uint64_t unused = 0;
  std::uint64_t blocked_observed = 0;
  std::uint64_t blocked_inferred = 0;

  std::uint64_t blocked() const { return blocked_observed + blocked_inferred; }
};

/// A tuple of connect(), with what holds its ports.
struct Destination {
  std::string local_address;
  std::string remote;  ///< address and port
  std::uint64_t used = 0;
  std::optional<std::uint64_t> reusable{};  ///< absent where the kernel does not tell
  double usage_ratio = 0;
  std::array<std::uint64_t, TupleStates::kNames.size()> sockets{};  ///< in the order of kNames

  std::uint64_t ports_left(const EphemeralRange& range) const {
    return range.capacity - std::min(range.capacity, used);
  }
};

struct Destinations {
  std::vector<Destination> worst{};  ///< the fullest first
  std::uint64_t left_out = 0;
  double usage_ratio_max = 0;  ///< of all, shown or not
  std::optional<double> preferred_usage_ratio_max{};
};

struct TimeWaits {
  std::uint64_t client = 0;
  std::uint64_t server = 0;
  /// Those that end within each of TimeWaitCounts::kWithin, cumulative.
  Known<std::array<std::uint64_t, TimeWaitCounts::kWithin.size()>> ending{};
};

/// The one of its kind with the highest usage ratio.
struct Fullest {
  std::string name;
  double usage_ratio = 0;
};

/// A rule that speaks.
struct SpokenAdvice {
  std::string rule;
  Severity severity = Severity::kInfo;
  std::string meaning;
  std::string evidence;  ///< empty where there are several namespaces
};

struct AdviceOfRules {
  std::vector<SpokenAdvice> spoken{};   ///< the most severe first
  std::vector<std::string> unjudged{};  ///< rules whose figures are absent
};

/// Figures of one network namespace.
struct NamespaceView {
  std::string name;
  Known<EphemeralRange> range{};
  Known<Destinations> destinations{};
  Known<TimeWaits> time_waits{};
  std::optional<Fullest> bind{};    ///< a local address
  std::optional<Fullest> server{};  ///< a listener and a client; absent where there is none
  Known<AdviceOfRules> advice{};
};

/// Connects of one program to one destination that found no port.
struct FailedDestination {
  std::string netns;
  std::string local_address;
  std::string remote;
  std::string process;
  std::uint64_t count = 0;                                  ///< since the start
  std::optional<std::chrono::duration<double>> last_age{};  ///< of the last one
};

struct ConnectFailures {
  bool covers_all = false;  ///< counted on every CPU
  std::uint64_t total = 0;
  std::uint64_t lost = 0;  ///< of them, without a destination
  std::optional<std::uint64_t> recent{};
  std::vector<FailedDestination> worst{};  ///< the latest first
  std::uint64_t left_out = 0;
};

struct CollectorView {
  std::string name;
  bool success = false;
  std::string error;  ///< empty where it succeeds
  std::chrono::milliseconds interval{};
  std::optional<std::chrono::duration<double>> last_success_age{};
};

/// All that the page says, without a word of HTML.
struct StatusView {
  Verdict verdict;
  std::vector<NamespaceView> namespaces{};  ///< the daemon's own first; at least that one
  Known<ConnectFailures> failures{};
  std::vector<CollectorView> collectors{};
  std::vector<std::string> collectors_off{};
  bool last_config_was_good = true;
  double taken = 0;  ///< seconds since 1970
  std::chrono::milliseconds interval{};
  std::string telemetry_path;
};

}  // namespace timewait::status_page
