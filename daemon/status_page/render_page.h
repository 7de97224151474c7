#pragma once

#include "daemon/status_page/status_page.h"
#include "daemon/status_page/status_view.h"

namespace timewait::status_page {

/// One self-contained HTML document, without scripts. It names nothing that a browser would fetch.
StatusPage render_page(const StatusView& view);

}  // namespace timewait::status_page
