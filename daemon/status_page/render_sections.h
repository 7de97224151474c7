#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/status_page/html_writer.h"
#include "daemon/status_page/status_view.h"

/// The parts of the page, each a section with a heading.
namespace timewait::status_page {

/// The destinations, the ephemeral ports and TIME-WAIT of one namespace, which the headings name
/// where it is one of several.
void render_namespace(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page);

void render_failures(const Known<ConnectFailures>& failures, HtmlWriter& page);

void render_advice(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page);

void render_collectors(const StatusView& view, HtmlWriter& page);

/// `Not known, because ...`: in the place of figures.
void render_unknown(std::string_view why, HtmlWriter& page);

/// A link to a page of docs/runbooks, after a sentence; nothing where there is none.
void render_remedy(std::string_view runbook, HtmlWriter& page);

/// The names, with commas, and the end of the paragraph that `lead` begins; nothing without names.
void render_names(Markup lead, const std::vector<std::string>& names, HtmlWriter& page);

/// The heading of what is told for each namespace.
void render_heading(Markup text, const NamespaceView& netns, bool is_one_of_several,
                    HtmlWriter& page);

}  // namespace timewait::status_page
