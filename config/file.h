#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace timewait::config {

inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;

/// Whether reading may wait for a writer.
enum class Pipes : std::uint8_t { kAllowed, kRefused };

/// The text of a regular file, or of a pipe where that is allowed; of one that is larger than
/// kMaxFileBytes the beginning, one byte more than that. Or why there is none. Waits for a pipe's
/// writer and for the file system, but not where a regular file gives nothing yet, as /proc/kmsg.
tl::expected<std::string, std::string> read_file(const std::filesystem::path& file, Pipes pipes);

/// `is larger than 1048576 bytes`.
std::string larger_than_allowed();

/// Whether there is nothing but white space in a text.
bool is_blank(std::string_view text);

}  // namespace timewait::config
