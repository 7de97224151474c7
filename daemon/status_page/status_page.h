#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace timewait::status_page {

/// The page at `/`, as bytes to be sent.
struct StatusPage {
  std::string html;
  std::size_t notice_at = 0;  ///< where in it a notice may be put in
  std::string refresh;        ///< the seconds after which a browser is to fetch it again
};

/// The page's HTML with a notice above all else, that its figures are so old.
std::string render_with_age(const StatusPage& page, std::string_view age);

}  // namespace timewait::status_page
