#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace timewait::test {

struct ProgramResult {
  int status = -1;     ///< of its exit; -1 where it was not started or was killed
  std::string output;  ///< standard output
};

/// Runs a program, which is looked for on PATH, to its end. Standard error goes to the test's.
ProgramResult run_program(std::vector<std::string> arguments,
                          const std::filesystem::path& input = "/dev/null");

bool is_on_path(const std::string& program);

/// For SetUp(): without a tool that the test needs it is skipped on a developer's machine, but
/// fails where CI=true.
void require_tool(const std::string& program);

}  // namespace timewait::test
