#pragma once

#include <string>
#include <string_view>

namespace timewait::test {

/// An exposition of the whole program without what differs from run to run or from build to build:
///
/// - the labels of timewait_exporter_build_info are `version="0"`, `revision="0"`, `compiler="0"`;
/// - the value of every process_* series and of every series whose name ends in _duration_seconds,
///   _cpu_seconds_total or _timestamp_seconds is 0.
///
/// All else stays as it is.
std::string stable_exposition(std::string_view exposition);

}  // namespace timewait::test
