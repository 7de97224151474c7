#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <tl/expected.hpp>

namespace timewait::config {

inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;

/// Whether reading may wait for a writer.
enum class Pipes : std::uint8_t { kAllowed, kRefused };

/// What a configuration is read for. While the daemon runs, an empty file is taken for one that is
/// being written, or that could not be: a full disk leaves such ones behind.
enum class Occasion : std::uint8_t { kStart, kReload };

/// The text of a regular file, or of a pipe where that is allowed; of one that is larger than
/// kMaxFileBytes the beginning, one byte more than that. Or why there is none. Waits for a pipe's
/// writer and for the file system, but not where a regular file gives nothing yet, as /proc/kmsg.
tl::expected<std::string, std::string> read_file(const std::filesystem::path& file, Pipes pipes);

/// `is larger than 1048576 bytes`.
std::string larger_than_allowed();

/// What is wrong with an empty configuration file at a reload.
std::string empty_at_reload();

}  // namespace timewait::config
