#pragma once

#include <string>
#include <system_error>
#include <utility>

#include "collectors/error.h"

namespace timewait {

/// An errno of a system call on `source` as an error value.
inline Error errno_error(int error, std::string source) {
  return {reason_of_errno(error), std::move(source), std::generic_category().message(error)};
}

}  // namespace timewait
