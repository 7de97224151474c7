#pragma once

#include <string>
#include <string_view>

#include "daemon/poll_status.h"

namespace timewait {

/// The page at `/`: what this is, where the metrics are, how the collectors fare. Self-contained
/// HTML with every text escaped.
std::string render_landing_page(const PollStatus& status, std::string_view telemetry_path);

/// `text` with the characters escaped that mean something in HTML.
std::string escape_html(std::string_view text);

}  // namespace timewait
