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

struct Scrapes {
  std::vector<std::chrono::nanoseconds> durations;  ///< of each scrape, in their order
  std::chrono::nanoseconds total{};
  std::size_t body_size = 0;  ///< of the last reply
};

/// GET /metrics again and again for so long, one after the other over one connection, as Prometheus
/// does in keep-alive. Throws unless every reply is a whole one with status 200.
Scrapes scrape(const ScrapeTarget& target, std::chrono::milliseconds duration);

}  // namespace timewait::bench
