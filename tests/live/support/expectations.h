#pragma once

#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/exposition.h"

namespace timewait::test {

/// True where bound idle sockets are reported: since Linux 6.8.
bool kernel_reports_bound_inactive();

/// A series of the exporter's own namespace: `name{netns="self"}`, or with further labels, which
/// are written as `role="server"`.
std::string of_self(const std::string& name, const std::string& labels = "");

/// Numbers of sockets by the labels family and state.
using ExpectedSockets = std::map<std::pair<std::string, std::string>, std::size_t>;

/// Whether timewait_sockets has every series of both families and all states, these numbers in the
/// named ones and 0 in all others; the failure names each series that is wrong.
::testing::AssertionResult has_sockets(const Samples& samples, const ExpectedSockets& expected);

/// Whether a series is there and has this value.
::testing::AssertionResult has_value(const Samples& samples, const std::string& series,
                                     double expected);

/// The value of a series; throws, which fails the test, where it is absent.
double value_of(const Samples& samples, const std::string& series);

}  // namespace timewait::test
