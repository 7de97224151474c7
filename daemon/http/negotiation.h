#pragma once

#include <cstdint>
#include <string_view>

namespace timewait {

enum class ExpositionFormat : std::uint8_t { kText, kOpenMetrics };

/// The format for the value of an Accept field; several fields are joined by comma, none is empty.
///
/// OpenMetrics only if asked for by its own name, without a version or with 0.0.1 or 1.0.0, at a
/// quality above 0 and at least that of text 0.0.4. In every other case text, even where the client
/// refuses it: a scrape with an odd Accept is better answered than failed. Elements that are not
/// well-formed do not count.
ExpositionFormat negotiate_format(std::string_view accept);

/// Whether the value of an Accept-Encoding field (joined as above) wants gzip: by name or by `*`,
/// at a quality above 0 and at least that of `identity` where that is named.
bool accepts_gzip(std::string_view accept_encoding);

std::string_view content_type(ExpositionFormat format);

}  // namespace timewait
