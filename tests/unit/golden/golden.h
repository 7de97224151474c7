#pragma once

#include <filesystem>
#include <string>

namespace timewait::test {

/// Fails with the first lines that differ where `actual` is not what the golden file says. With
/// TIMEWAIT_UPDATE_GOLDENS=1 in the environment the file is written instead: read what changed
/// before you commit it.
void expect_golden(const std::filesystem::path& golden, const std::string& actual);

}  // namespace timewait::test
