#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "collectors/error.h"

namespace timewait {

/// An errno of a system call on `source` as an error value.
inline Error errno_error(int error, std::string source) {
  ErrorReason reason = ErrorReason::kIo;
  if (error == ENOENT || error == ENOTDIR || error == EAFNOSUPPORT || error == EPROTONOSUPPORT) {
    reason = ErrorReason::kUnavailable;
  } else if (error == EACCES || error == EPERM) {
    reason = ErrorReason::kPermission;
  } else if (error == ENOBUFS) {
    reason = ErrorReason::kInterrupted;
  }
  return {reason, std::move(source), std::generic_category().message(error)};
}

}  // namespace timewait
