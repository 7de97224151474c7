#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"

namespace timewait::test {

/// tests/fixtures/<name>: what a collector reads of one host, and what is made of it.
struct RecordedHost {
  std::string name;

  std::filesystem::path directory() const;
  /// The golden of a collector, or of the whole program, `once`.
  std::filesystem::path golden(std::string_view what) const;
};

/// Its name, for the names of tests.
std::ostream& operator<<(std::ostream& out, const RecordedHost& host);

/// Every one of them, by name.
std::vector<RecordedHost> recorded_hosts();

/// What the collector publishes on that host with its default options: nothing where it fails.
MetricFamilies collect(const CollectorEntry& entry, const RecordedHost& host);

/// The same from another kernel.
MetricFamilies collect(const CollectorEntry& entry, Kernel& kernel);

/// The text of a file, empty where it cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace timewait::test
