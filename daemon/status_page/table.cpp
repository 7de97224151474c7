#include "daemon/status_page/table.h"

#include "daemon/status_page/words.h"

namespace timewait::status_page {

void begin_table(Markup css_class, Markup caption, std::span<const Column> columns,
                 HtmlWriter& page) {
  page << R"(<table role="table" class=")"_html << css_class << R"("><caption>)"_html << caption
       << R"(</caption>
<thead role="rowgroup"><tr role="row">)"_html;
  for (const Column& column : columns) {
    page << R"(<th role="columnheader" scope="col" class=")"_html << column.css_class
         << R"(">)"_html << column.label << "</th>"_html;
  }
  page << R"(</tr></thead>
<tbody role="rowgroup">
)"_html;
}

void end_table(HtmlWriter& page) { page << "</tbody></table>\n"_html; }

void begin_cell(const Column& column, HtmlWriter& page) {
  page << R"(<td role="cell" class=")"_html << column.css_class << R"(" data-label=")"_html
       << column.label << R"(">)"_html;
}

void end_cell(HtmlWriter& page) { page << "</td>"_html; }

void write_cell(const Column& column, std::string_view text, HtmlWriter& page) {
  begin_cell(column, page);
  page << text;
  end_cell(page);
}

void write_count(const Column& column, std::uint64_t count, HtmlWriter& page) {
  page << R"(<td role="cell" class=")"_html << column.css_class
       << (count == 0 ? R"( none" data-label=")"_html : R"(" data-label=")"_html) << column.label
       << R"(">)"_html << format_count(count);
  end_cell(page);
}

void begin_row(const Column& column, HtmlWriter& page) {
  page << R"(<tr role="row"><th role="rowheader" scope="row" class=")"_html << column.css_class
       << R"(">)"_html;
}

void end_row_head(HtmlWriter& page) { page << "</th>"_html; }

void end_row(HtmlWriter& page) { page << "</tr>\n"_html; }

}  // namespace timewait::status_page
