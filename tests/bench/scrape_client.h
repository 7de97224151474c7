#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace timewait::bench {

struct ScrapeTarget {
  std::uint16_t port = 0;  ///< of 127.0.0.1
  bool accepts_gzip = false;
};

struct Pace {
  std::chrono::milliseconds duration{};
  std::chrono::milliseconds interval{};  ///< from one request to the next; 0 for no pause
};

struct Scrapes {
  std::vector<std::chrono::nanoseconds> durations;  ///< of each scrape, in their order
  std::chrono::nanoseconds total{};
  std::size_t body_size = 0;  ///< of the last reply
};

/// GET /metrics again and again, one after the other over one connection, as Prometheus does in
/// keep-alive. Throws unless every reply is a whole one with status 200.
Scrapes scrape(const ScrapeTarget& target, const Pace& pace);

}  // namespace timewait::bench
