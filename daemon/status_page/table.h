#pragma once

#include <cstdint>
#include <span>

#include "daemon/status_page/html_writer.h"

namespace timewait::status_page {

/// A column of a table. On a narrow screen the rows become blocks, in which each cell shows the
/// column's label; the roles that are written out keep them a table for a screen reader.
struct Column {
  Markup label;
  Markup css_class;
};

/// A caption for those who do not see the heading above, and the heads of the columns.
void begin_table(Markup css_class, Markup caption, std::span<const Column> columns,
                 HtmlWriter& page);
void end_table(HtmlWriter& page);

/// A cell of one text.
void write_cell(const Column& column, std::string_view text, HtmlWriter& page);

/// A cell of one number, with thousands separators. A 0 is said more quietly, and not at all on a
/// narrow screen.
void write_count(const Column& column, std::uint64_t count, HtmlWriter& page);

/// Around a cell's content that is more than a text.
void begin_cell(const Column& column, HtmlWriter& page);
void end_cell(HtmlWriter& page);

/// Around the first cell of a row, which says what the row is about.
void begin_row(const Column& column, HtmlWriter& page);
void end_row_head(HtmlWriter& page);
void end_row(HtmlWriter& page);

}  // namespace timewait::status_page
