#pragma once

#include <cstdint>
#include <span>

#include "daemon/status_page/html_writer.h"

namespace timewait::status_page {

/// A stretch of a bar, in the colour of that class of the style sheet.
struct BarPart {
  Markup css_class;
  std::uint64_t count = 0;
};

/// A bar of which the parts take their share of `whole`, the rest being free. A part of anything is
/// wide enough to be seen. It is for the eye alone: its figures stand beside it in the page.
void render_bar(std::span<const BarPart> parts, std::uint64_t whole, HtmlWriter& page);

/// What bars refer to; once in a page, before them.
void render_bar_patterns(HtmlWriter& page);

}  // namespace timewait::status_page
