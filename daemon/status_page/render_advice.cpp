#include "collectors/collector.h"
#include "daemon/status_page/render_sections.h"
#include "daemon/status_page/words.h"

namespace timewait::status_page {

namespace {

struct SeverityWords {
  Markup css_class;
  Markup name;
};

SeverityWords words_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return {"in-danger"_html, "Critical"_html};
    case Severity::kWarning:
      return {"watch"_html, "Warning"_html};
    case Severity::kInfo:
      return {"not-known"_html, "Info"_html};
  }
  return {"not-known"_html, "Info"_html};
}

void render_spoken(const SpokenAdvice& advice, HtmlWriter& page) {
  const auto [css_class, severity] = words_of(advice.severity);
  page << R"(<li class=")"_html << css_class << R"("><b class="tag">)"_html << severity
       << "</b> <strong>"_html << advice.meaning << "</strong> "_html;
  if (!advice.evidence.empty()) page << "Found: "_html << advice.evidence << "."_html;
  render_remedy(advice.rule, page);
  page << "</li>\n"_html;
}

}  // namespace

void render_advice(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page) {
  page << "<section>"_html;
  render_heading("Advice"_html, netns, is_one_of_several, page);
  if (!netns.advice) {
    render_unknown(netns.advice.error(), page);
  } else {
    if (netns.advice->spoken.empty()) {
      page << "<p>No rule has anything to say.</p>\n"_html;
    } else {
      page << R"(<ul class="findings">)"_html;
      for (const SpokenAdvice& each : netns.advice->spoken) render_spoken(each, page);
      page << "</ul>\n"_html;
    }
    render_names(
        R"(<p class="unknown">Not judged, because figures that they need are absent: )"_html,
        netns.advice->unjudged, page);
  }
  page << "</section>\n"_html;
}

}  // namespace timewait::status_page
