#include <array>

#include "daemon/status_page/render_sections.h"
#include "daemon/status_page/table.h"
#include "daemon/status_page/words.h"

namespace timewait::status_page {

namespace {

constexpr Column kName{"Collector"_html, "about"_html};
constexpr Column kOutcome{"Last poll"_html, "about"_html};
constexpr Column kInterval{"Interval"_html, "number"_html};
constexpr Column kSuccess{"Last success"_html, "number"_html};
constexpr std::array kCollectorColumns{kName, kOutcome, kInterval, kSuccess};

void render_collector(const CollectorView& collector, HtmlWriter& page) {
  begin_row(kName, page);
  page << collector.name;
  end_row_head(page);
  begin_cell(kOutcome, page);
  page << (collector.success ? "ok"_html : R"(<b class="failed">failed</b>)"_html);
  end_cell(page);
  write_cell(kInterval, format_duration(collector.interval), page);
  write_cell(kSuccess,
             collector.last_success_age ? format_age(*collector.last_success_age) : "never", page);
  end_row(page);
  if (collector.success) return;
  page << R"(<tr role="row" class="error-row"><td role="cell" colspan="4">)"_html << collector.error
       << "</td></tr>\n"_html;
}

}  // namespace

void render_collectors(const StatusView& view, HtmlWriter& page) {
  page << "<section><h2>Collectors</h2>\n"_html;
  begin_table("figures"_html, "Collectors and how they fare"_html, kCollectorColumns, page);
  for (const CollectorView& each : view.collectors) render_collector(each, page);
  end_table(page);
  render_names(R"(<p class="quiet">Switched off: )"_html, view.collectors_off, page);
  if (!view.last_config_was_good) {
    page << R"(<p class="unknown">The configuration was bad when it was last read; the one
before is in force. The log says what is wrong.</p>
)"_html;
  }
  page << "</section>\n"_html;
}

}  // namespace timewait::status_page
