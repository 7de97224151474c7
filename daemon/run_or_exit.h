#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace timewait {

/// The body of a thread that the daemon cannot do without. It throws where there is no memory: then
/// there is nothing to go on with, nor to log with, and whoever starts the daemon again gets a line
/// and a status.
template <class Body>
void run_or_exit(const char* what, Body&& body) {
  try {
    body();
  } catch (const std::exception& error) {
    for (const char* part : {"timewait_exporter: ", what, " failed: ", error.what(), "\n"}) {
      std::fputs(part, stderr);
    }
    std::_Exit(EXIT_FAILURE);
  }
}

}  // namespace timewait
