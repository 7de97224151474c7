#include <algorithm>
#include <array>

#include "daemon/status_page/render_sections.h"
#include "daemon/status_page/table.h"
#include "daemon/status_page/words.h"

namespace timewait::status_page {

namespace {

constexpr Column kTo{"Destination"_html, "about"_html};
constexpr Column kFrom{"From"_html, "address"_html};
constexpr Column kProcess{"Process"_html, "address"_html};
constexpr Column kNamespace{"Network namespace"_html, "address"_html};
constexpr Column kCount{"Failures"_html, "number strong"_html};
constexpr Column kLast{"Last"_html, "number"_html};
constexpr std::array kFailureColumns{kTo, kFrom, kProcess, kNamespace, kCount, kLast};

std::string_view or_not_known(std::string_view text) { return text.empty() ? "not known" : text; }

void render_failed(const FailedDestination& failed, HtmlWriter& page) {
  // The rest that has no series of its own is many destinations.
  const bool is_rest = failed.local_address.empty();
  begin_row(kTo, page);
  page << R"(<span class="address">)"_html << failed.remote << "</span>"_html;
  end_row_head(page);
  write_cell(kFrom, is_rest ? "several" : failed.local_address, page);
  write_cell(kProcess, is_rest ? "several" : or_not_known(failed.process), page);
  write_cell(kNamespace, is_rest ? "several" : or_not_known(failed.netns), page);
  write_count(kCount, failed.count, page);
  write_cell(kLast, failed.last_age ? format_age(*failed.last_age) : "not known", page);
  end_row(page);
}

void render_total(const ConnectFailures& failures, HtmlWriter& page) {
  if (failures.total == 0) {
    page
        << (failures.covers_all
                ? "<p>No connect() has found all ports taken since the exporter started.</p>\n"_html
                : "<p>None has been counted.</p>\n"_html);
  } else {
    page << "<p>"_html << format_number_of(failures.total, "connect() call")
         << " found no port since the exporter started, "_html
         << format_count(failures.recent.value_or(0)) << " in the last five minutes"_html;
    if (failures.lost > 0) {
      page << "; the destination of "_html << format_count(failures.lost) << " is not known"_html;
    }
    page << ".</p>\n"_html;
  }
  if (!failures.covers_all) {
    page << R"(<p class="unknown">There may be more: they are not counted on every CPU at
the moment.</p>
)"_html;
  }
}

}  // namespace

void render_failures(const Known<ConnectFailures>& failures, HtmlWriter& page) {
  page << "<section><h2>Failed connects</h2>\n"_html;
  if (!failures) {
    render_unknown(failures.error(), page);
  } else {
    render_total(*failures, page);
    if (!failures->worst.empty()) {
      begin_table("stack failures"_html,
                  "Failed connects by destination and process, the latest first"_html,
                  kFailureColumns, page);
      for (const FailedDestination& each : failures->worst) render_failed(each, page);
      end_table(page);
    }
    if (failures->left_out > 0) {
      page << R"(<p class="quiet">)"_html << format_count(failures->left_out)
           << " more with earlier or fewer failures are left out.</p>\n"_html;
    }
  }
  page << "</section>\n"_html;
}

}  // namespace timewait::status_page
