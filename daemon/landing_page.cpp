#include "daemon/landing_page.h"

#include <array>
#include <chrono>
#include <ctime>

#include "config/duration.h"
#include "daemon/version.h"

namespace timewait {

namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>timewait_exporter</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8886;
  vertical-align: top; }
td.failed { color: #c62828; font-weight: 600; overflow-wrap: anywhere; }
small { opacity: .75; }
@media (prefers-color-scheme: dark) { td.failed { color: #ff8a80; } }
</style>
</head>
<body>
)";

std::string render_time(double seconds_since_1970) {
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &utc)};
}

std::string render_row(const CollectorStatus& status) {
  std::string row = "<tr><td>" + escape_html(status.name) + "</td>";
  if (status.success) {
    row += "<td>ok</td>";
  } else {
    row +=
        "<td class=\"failed\">failed<br><small>" + escape_html(status.last_error) + "</small></td>";
  }
  row += "<td>" + config::to_string(status.interval) + "</td>";
  row +=
      "<td>" + (status.last_success ? render_time(*status.last_success) : "never") + "</td></tr>\n";
  return row;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string render_landing_page(const PollStatus& status, std::string_view telemetry_path) {
  std::string page(kHead);
  page +=
      "<h1>timewait_exporter</h1>\n<p>TCP TIME-WAIT and ephemeral ports of this host, for "
      "Prometheus.</p>\n<p><a href=\"" +
      escape_html(telemetry_path) +
      "\">Metrics</a> · <a href=\"/-/healthy\">Healthy</a> · <a href=\"/-/ready\">Ready</a></p>\n";
  page +=
      "<h2>Collectors</h2>\n<table>\n<tr><th>Collector</th><th>Last poll</th><th>Interval</th>"
      "<th>Last success</th></tr>\n";
  for (const CollectorStatus& collector : status.collectors) page += render_row(collector);
  page += "</table>\n<p><small>Version " + escape_html(kVersion) + ", revision " +
          escape_html(kRevision) + ". Figures of " + render_time(status.snapshot_time) +
          ".</small></p>\n</body>\n</html>\n";
  return page;
}

}  // namespace timewait
