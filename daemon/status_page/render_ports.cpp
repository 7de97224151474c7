#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/status_page/bar.h"
#include "daemon/status_page/render_sections.h"
#include "daemon/status_page/table.h"
#include "daemon/status_page/words.h"

namespace timewait::status_page {

namespace {

/// The states in the order of TupleStates::kNames.
constexpr std::array kStates{
    Column{"TIME-WAIT"_html, "number state time_wait"_html},
    Column{"FIN-WAIT-2"_html, "number state fin_wait2"_html},
    Column{"ESTABLISHED"_html, "number state established"_html},
    Column{"SYN-SENT"_html, "number state syn_sent"_html},
    Column{"CLOSE-WAIT"_html, "number state close_wait"_html},
    Column{"Other"_html, "number state other"_html},
};
static_assert(kStates.size() == TupleStates::kNames.size());

constexpr Column kDestination{"Destination"_html, "about"_html};
constexpr Column kTaken{"Taken"_html, "number strong"_html};
constexpr Column kLeft{"Ports left"_html, "number strong"_html};
constexpr Column kBlocked{"Blocked"_html, "number state blocked"_html};
constexpr Column kReusable{"reusable"_html, "number state reusable"_html};

constexpr std::array kDestinationColumns{kDestination, kTaken,     kLeft,      kBlocked,
                                         kStates[0],   kReusable,  kStates[1], kStates[2],
                                         kStates[3],   kStates[4], kStates[5]};

/// The ports of a destination beyond the blocked ones, by state. Sockets on blocked ports are no
/// ports of their own, and which these are is not known: each state gives in proportion.
std::array<std::uint64_t, TupleStates::kNames.size()> compute_own_ports(
    const Destination& destination, const EphemeralRange& range) {
  std::uint64_t sockets = 0;
  for (const std::uint64_t count : destination.sockets) sockets += count;
  const std::uint64_t held = destination.used + destination.reusable.value_or(0);
  const std::uint64_t own = held - std::min(held, range.blocked());
  auto ports = destination.sockets;
  if (sockets <= own) return ports;
  for (std::uint64_t& count : ports) {
    count = static_cast<std::uint64_t>(std::llround(
        static_cast<double>(count) * static_cast<double>(own) / static_cast<double>(sockets)));
  }
  return ports;
}

void render_destination_bar(const Destination& destination, const EphemeralRange& range,
                            HtmlWriter& page) {
  const auto ports = compute_own_ports(destination, range);
  const std::uint64_t reusable = std::min(destination.reusable.value_or(0), ports[0]);
  // What is taken for certain first, so that its end is where the ports run out.
  const std::array parts{
      BarPart{"blocked"_html, range.blocked()},
      BarPart{"established"_html, ports[2]},
      BarPart{"syn_sent"_html, ports[3]},
      BarPart{"close_wait"_html, ports[4]},
      BarPart{"other"_html, ports[5]},
      BarPart{"fin_wait2"_html, ports[1]},
      BarPart{"time_wait"_html, ports[0] - reusable},
      BarPart{"reusable"_html, reusable},
  };
  render_bar(parts, range.capacity, page);
}

void render_destination(const Destination& destination, const EphemeralRange& range,
                        HtmlWriter& page) {
  begin_row(kDestination, page);
  page << R"(<span class="address">)"_html << destination.remote
       << R"(</span> <span class="quiet">from <span class="address">)"_html
       << destination.local_address << "</span></span>"_html;
  end_row_head(page);
  write_cell(kTaken, format_percent(destination.usage_ratio), page);
  write_cell(kLeft, format_count(destination.ports_left(range)), page);
  write_count(kBlocked, range.blocked(), page);
  write_count(kStates[0], destination.sockets[0], page);
  if (destination.reusable) {
    write_count(kReusable, *destination.reusable, page);
  } else {
    write_cell(kReusable, "not known", page);
  }
  for (std::size_t i = 1; i < kStates.size(); ++i) {
    write_count(kStates[i], destination.sockets[i], page);
  }
  end_row(page);
  page << R"(<tr class="bar-row" aria-hidden="true"><td colspan="11">)"_html;
  render_destination_bar(destination, range, page);
  page << "</td></tr>\n"_html;
}

void render_left_out(std::uint64_t left_out, HtmlWriter& page) {
  if (left_out == 0) return;
  page << R"(<p class="quiet">)"_html
       << (left_out == 1
               ? "1 destination that is less full is left out."
               : format_count(left_out) + " destinations that are less full are left out.")
       << "</p>\n"_html;
}

void render_destinations(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page) {
  page << "<section>"_html;
  render_heading("Ports by destination"_html, netns, is_one_of_several, page);
  if (!netns.destinations || !netns.range) {
    render_unknown(netns.range ? netns.destinations.error() : netns.range.error(), page);
  } else if (netns.destinations->worst.empty()) {
    page << (netns.destinations->left_out == 0
                 ? "<p>No outgoing connection holds an ephemeral port.</p>\n"_html
                 : "<p>None is shown: top is 0 in the configuration.</p>\n"_html);
    render_left_out(netns.destinations->left_out, page);
  } else {
    page << R"(<p class="quiet">What holds the )"_html << format_count(netns.range->capacity)
         << " ephemeral ports that connect() can choose from, for each destination, the fullest "
            "first; the colours are those of the columns. Reusable ports are those of "
            "TIME-WAIT sockets that connect() may take over. At 100 % connect() fails.</p>\n"_html;
    begin_table("stack destinations"_html,
                "Destinations by the share of their ports that is taken"_html, kDestinationColumns,
                page);
    for (const Destination& each : netns.destinations->worst) {
      render_destination(each, *netns.range, page);
    }
    end_table(page);
    render_left_out(netns.destinations->left_out, page);
  }
  page << "</section>\n"_html;
}

constexpr Column kPorts{"Ports"_html, "about"_html};
constexpr Column kNumber{"Number"_html, "number"_html};
constexpr Column kShare{"Share"_html, "number"_html};
constexpr std::array kRangeColumns{kPorts, kNumber, kShare};

void render_range_row(Markup swatch, Markup label, std::uint64_t count, std::uint64_t whole,
                      HtmlWriter& page) {
  begin_row(kPorts, page);
  page << R"(<i class="swatch )"_html << swatch << R"("></i>)"_html << label;
  end_row_head(page);
  write_count(kNumber, count, page);
  write_cell(kShare,
             whole == 0 ? std::string()
                        : format_percent(static_cast<double>(count) / static_cast<double>(whole)),
             page);
  end_row(page);
}

void render_range(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page) {
  page << "<section>"_html;
  render_heading("Ephemeral ports"_html, netns, is_one_of_several, page);
  if (!netns.range) {
    render_unknown(netns.range.error(), page);
    page << "</section>\n"_html;
    return;
  }
  const EphemeralRange& range = *netns.range;
  const std::uint64_t whole = range.capacity + range.reserved;
  const std::uint64_t open = range.unused + range.blocked();
  const std::uint64_t connected = range.capacity - std::min(range.capacity, open);
  page << R"(<p class="quiet">)"_html << format_number_of(range.capacity, "port")
       << " for connect() and bind()"_html;
  if (range.lowest && range.highest) {
    page << ", of the range "_html << std::to_string(*range.lowest) << "–"_html
         << std::to_string(*range.highest);
  }
  page << ". Used ones can still serve other destinations; blocked ones can serve none.</p>\n"_html;
  const std::array parts{BarPart{"reserved"_html, range.reserved},
                         BarPart{"blocked"_html, range.blocked()},
                         BarPart{"connected"_html, connected}};
  render_bar(parts, whole, page);
  begin_table("figures"_html, "Ephemeral ports by use"_html, kRangeColumns, page);
  render_range_row("reserved"_html, "reserved"_html, range.reserved, whole, page);
  render_range_row("blocked"_html, "blocked, observed"_html, range.blocked_observed, whole, page);
  render_range_row("blocked"_html, "blocked, inferred"_html, range.blocked_inferred, whole, page);
  render_range_row("connected"_html, "used by connections"_html, connected, whole, page);
  render_range_row("free"_html, "unused"_html, range.unused, whole, page);
  end_table(page);
  page << "</section>\n"_html;
}

constexpr Column kWithin{"Ends within"_html, "about"_html};
constexpr Column kSockets{"Sockets"_html, "number"_html};
constexpr Column kBar{"Share"_html, "bar-cell"_html};
constexpr std::array kEndingColumns{kWithin, kSockets, kBar};

void render_ending(const TimeWaits& waits, HtmlWriter& page) {
  const std::uint64_t all = waits.client + waits.server;
  begin_table("figures"_html, "TIME-WAIT sockets by the time they have left"_html, kEndingColumns,
              page);
  for (std::size_t i = 0; i < waits.ending->size(); ++i) {
    begin_row(kWithin, page);
    page << std::to_string(TimeWaitCounts::kWithin[i].count()) << " s"_html;
    end_row_head(page);
    write_count(kSockets, (*waits.ending)[i], page);
    begin_cell(kBar, page);
    render_bar(std::array{BarPart{"time_wait"_html, (*waits.ending)[i]}}, all, page);
    end_cell(page);
    end_row(page);
  }
  end_table(page);
}

void render_time_waits(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page) {
  page << "<section>"_html;
  render_heading("TIME-WAIT"_html, netns, is_one_of_several, page);
  if (!netns.time_waits) {
    render_unknown(netns.time_waits.error(), page);
  } else if (const TimeWaits& waits = *netns.time_waits; waits.client + waits.server == 0) {
    page << "<p>No socket is in TIME-WAIT.</p>\n"_html;
  } else {
    page << R"(<p class="quiet">)"_html << format_count(waits.client)
         << " of connections that this host opened: each holds an ephemeral port. "_html
         << format_count(waits.server) << " of accepted ones, which hold none.</p>\n"_html;
    if (waits.ending) {
      render_ending(waits, page);
    } else {
      page << "<p>When they end:</p>\n"_html;
      render_unknown(waits.ending.error(), page);
    }
  }
  page << "</section>\n"_html;
}

}  // namespace

void render_unknown(std::string_view why, HtmlWriter& page) {
  page << R"(<p class="unknown">Not known, because )"_html << why << ".</p>\n"_html;
}

void render_heading(Markup text, const NamespaceView& netns, bool is_one_of_several,
                    HtmlWriter& page) {
  page << "<h2>"_html << text;
  if (is_one_of_several) page << " in "_html << netns.name;
  page << "</h2>\n"_html;
}

void render_namespace(const NamespaceView& netns, bool is_one_of_several, HtmlWriter& page) {
  render_destinations(netns, is_one_of_several, page);
  page << R"(<div class="pair">)"_html;
  render_range(netns, is_one_of_several, page);
  render_time_waits(netns, is_one_of_several, page);
  page << "</div>\n"_html;
}

}  // namespace timewait::status_page
