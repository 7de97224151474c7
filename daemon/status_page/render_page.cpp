#include "daemon/status_page/render_page.h"

#include <algorithm>
#include <array>

#include "daemon/status_page/bar.h"
#include "daemon/status_page/html_writer.h"
#include "daemon/status_page/render_sections.h"
#include "daemon/status_page/style_sheet.h"
#include "daemon/status_page/words.h"
#include "daemon/version.h"

namespace timewait::status_page {

namespace {

/// Findings beside the worst one.
constexpr std::size_t kMostFindings = 6;

Markup css_class_of(HostState state) {
  switch (state) {
    case HostState::kFine:
      return "fine"_html;
    case HostState::kNotKnown:
      return "not-known"_html;
    case HostState::kWatch:
      return "watch"_html;
    case HostState::kInDanger:
      return "in-danger"_html;
    case HostState::kFailing:
      return "failing"_html;
  }
  return "not-known"_html;
}

/// Faster than people can read, and than browsers like, it need not be.
std::chrono::seconds refresh_interval(std::chrono::milliseconds interval) {
  return std::max(std::chrono::seconds(5), std::chrono::ceil<std::chrono::seconds>(interval));
}

void render_head(const StatusView& view, HtmlWriter& page) {
  page << R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>)"_html
       << to_string(view.verdict.worst.state) << " · timewait_exporter</title>\n<style>"_html
       << kStyleSheet << "</style>\n</head>\n"_html;
}

void render_links(const StatusView& view, HtmlWriter& page) {
  page << R"(<header><p class="name">timewait_exporter</p>
<nav aria-label="Links"><a href=")"_html
       << view.telemetry_path
       << R"(">Metrics</a> <a href="/-/healthy">Healthy</a> <a href="/-/ready">Ready</a>
<a href=")"_html
       << kDocumentationUrl << R"(/metrics.md">Documentation</a></nav></header>
)"_html;
}

void render_finding(const Finding& finding, HtmlWriter& page) {
  page << R"(<li class=")"_html << css_class_of(finding.state) << R"("><b class="tag">)"_html
       << to_string(finding.state) << "</b> <strong>"_html << finding.sentence << "</strong> "_html
       << finding.reason;
  render_remedy(finding.page, page);
  page << "</li>\n"_html;
}

void render_findings(const Verdict& verdict, HtmlWriter& page) {
  const auto& [worst, others, unknown] = verdict;
  if (others.empty() && unknown.empty()) return;
  page << R"(<ul class="findings">)"_html;
  const std::size_t shown = std::min(others.size(), kMostFindings);
  for (std::size_t i = 0; i < shown; ++i) render_finding(others[i], page);
  if (shown < others.size()) {
    page << "<li>And "_html << format_count(others.size() - shown) << " more.</li>\n"_html;
  }
  for (const Finding& each : unknown) render_finding(each, page);
  page << "</ul>\n"_html;
}

void render_verdict(const StatusView& view, HtmlWriter& page) {
  const Finding& worst = view.verdict.worst;
  page << R"(<section class="verdict )"_html << css_class_of(worst.state)
       << R"("><h1><b class="level">)"_html << to_string(worst.state) << ":</b> "_html
       << worst.sentence << "</h1>\n"_html;
  if (!worst.reason.empty()) {
    page << "<p>"_html << worst.reason;
    render_remedy(worst.page, page);
    page << "</p>\n"_html;
  }
  render_findings(view.verdict, page);
  page << R"(<p class="quiet">Figures of )"_html << format_time(view.taken)
       << ". This page renews itself every "_html
       << format_duration(refresh_interval(view.interval))
       << R"(: <a href="/">go on</a> or <a href="/?refresh=off">hold still</a>.</p></section>
)"_html;
}

void render_footer(HtmlWriter& page) {
  page << R"(<footer class="quiet">timewait_exporter )"_html << kVersion << ", revision "_html
       << kRevision << "</footer>\n</body>\n</html>\n"_html;
}

}  // namespace

void render_remedy(std::string_view runbook, HtmlWriter& page) {
  if (runbook.empty()) return;
  page << R"( <a href=")"_html << kDocumentationUrl << "/runbooks/"_html << runbook
       << R"(.md">What to do: )"_html << runbook << "</a>"_html;
}

void render_names(Markup lead, const std::vector<std::string>& names, HtmlWriter& page) {
  if (names.empty()) return;
  page << lead;
  for (const std::string& name : names)
    page << (&name == &names.front() ? ""_html : ", "_html) << name;
  page << ".</p>\n"_html;
}

StatusPage render_page(const StatusView& view) {
  HtmlWriter page;
  render_head(view, page);
  page << "<body>\n"_html;
  render_bar_patterns(page);
  render_links(view, page);
  page << "<main>\n"_html;
  const std::size_t notice_at = page.size();
  render_verdict(view, page);
  const bool are_several = view.namespaces.size() > 1;
  for (const NamespaceView& netns : view.namespaces) {
    render_namespace(netns, are_several, page);
  }
  render_failures(view.failures, page);
  for (const NamespaceView& netns : view.namespaces) render_advice(netns, are_several, page);
  render_collectors(view, page);
  page << "</main>\n"_html;
  render_footer(page);
  return {.html = page.take(),
          .notice_at = notice_at,
          .refresh = std::to_string(refresh_interval(view.interval).count())};
}

std::string render_with_age(const StatusPage& page, std::string_view age) {
  HtmlWriter notice;
  notice << R"(<p class="notice" role="alert"><strong>These figures are old.</strong>
The last poll ended )"_html
         << age << ", and none has since: what follows is of then.</p>\n"_html;
  std::string html = page.html;
  return html.insert(page.notice_at, notice.take());
}

}  // namespace timewait::status_page
