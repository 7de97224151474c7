#pragma once

#include <string>
#include <string_view>

namespace timewait {

/// `text` in gzip format (RFC 1952), at a level that favours speed. Empty where zlib has no memory.
std::string compress_gzip(std::string_view text);

}  // namespace timewait
