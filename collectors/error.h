#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace timewait {

/// Why a source could not be read; the `reason` label of the exporter's error counters.
enum class ErrorReason : std::uint8_t {
  kUnavailable,  ///< this kernel does not offer it (ENOENT, ENOSYS, a module that is not loaded)
  kPermission,   ///< the kernel offers it, but not to this process (EACCES, EPERM)
  kIo,           ///< any other errno
  kMalformed,    ///< it was read, but is not what the kernel writes there
  kInterrupted,  ///< the kernel could not finish a consistent answer (NLM_F_DUMP_INTR, ENOBUFS)
};

/// Every reason, in the order of the enumeration: error counters exist from the start, at 0.
inline constexpr std::array kAllErrorReasons{ErrorReason::kUnavailable, ErrorReason::kPermission,
                                             ErrorReason::kIo, ErrorReason::kMalformed,
                                             ErrorReason::kInterrupted};

constexpr std::string_view to_string(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kUnavailable:
      return "unavailable";
    case ErrorReason::kPermission:
      return "permission";
    case ErrorReason::kIo:
      return "io";
    case ErrorReason::kMalformed:
      return "malformed";
    case ErrorReason::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

/// The reason behind an errno, whether a system call gives it or a netlink message carries it.
constexpr ErrorReason reason_of_errno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENOSYS:
    case EINVAL:
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case EAFNOSUPPORT:
      return ErrorReason::kUnavailable;
    case EPERM:
    case EACCES:
      return ErrorReason::kPermission;
    case ENOBUFS:
    case EINTR:
    case EAGAIN:
      return ErrorReason::kInterrupted;
    default:
      return ErrorReason::kIo;
  }
}

/// A failure as a value. `source` is what was being read (a path such as /proc/net/sockstat, or a
/// netlink request); it stays the same while the same thing keeps failing, so that the daemon can
/// log a failure once per change. `detail` says where and what was expected, e.g. `line 2: tw:
/// expected a number, found "x"`.
struct Error {
  ErrorReason reason = ErrorReason::kIo;
  std::string source;
  std::string detail;

  std::string text() const { return source.empty() ? detail : source + ": " + detail; }
};

template <class T>
using Result = tl::expected<T, Error>;

/// A parser's error: parsers know the text, not where it came from.
inline tl::unexpected<Error> malformed(std::string detail) {
  return tl::make_unexpected(Error{ErrorReason::kMalformed, {}, std::move(detail)});
}

/// For `map_error`: names the source of a parser's error.
inline auto from_source(std::string source) {
  return [source = std::move(source)](Error error) {
    error.source = source;
    return error;
  };
}

}  // namespace timewait
