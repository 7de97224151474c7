#pragma once

#include "daemon/status_page/html_writer.h"

namespace timewait::status_page {

/// The only style sheet of the page. Two columns of colours: for a light screen and for a dark one.
inline constexpr Markup kStyleSheet{R"css(
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --line: #d5d9df; --text: #1b1f24; --quiet: #565d67; --link:
    #0b57a4;
  --free: #e4e7ec; --reserved: #aab1bb; --blocked: #4a515b; --connected: #2f6fb3;
  --time-wait: #2f6fb3; --pale: #a9c8ea; --fin-wait2: #7d4fb0; --established: #2e8050; --syn-sent:
    #b58900;
  --close-wait: #cc4d11; --other: #8a919c;
  --fine: #1a7f4b; --not-known: #5c636d; --watch: #8a5a00; --in-danger: #b4420a; --failing: #b3261e;
  --on-state: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131619; --card: #1c2024; --line: #363c43; --text: #e7eaee; --quiet: #a4acb6; --link:
    #8ab8ff;
    --free: #2e343b; --reserved: #6c747f; --blocked: #c3c9d1; --connected: #5b9be0;
    --time-wait: #5b9be0; --pale: #2b4a6b; --fin-wait2: #b58be0; --established: #5cb582;
    --syn-sent: #dcb43c;
    --close-wait: #f0854f; --other: #8f96a1;
    --fine: #6fcf97; --not-known: #b0b7c1; --watch: #f0c04a; --in-danger: #ff9d66; --failing:
    #ff8a80;
    --on-state: #16191c;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 78rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
    overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
p { margin: .4rem 0; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.3; }
h2 { margin: 0 0 .3rem; font-size: 1.15rem; line-height: 1.3; }
header { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; justify-content: space-between;
  margin-bottom: .6rem; }
header .name { margin: 0; font-weight: 600; }
nav a { margin-right: .8rem; }
nav a:last-child { margin-right: 0; }
section, .notice { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .9rem 1.1rem; margin: 0 0 1rem; min-width: 0; }
.notice { border: 2px solid var(--failing); }
.quiet { color: var(--quiet); font-size: .9rem; }
.unknown { border-left: .25rem solid var(--not-known); padding-left: .7rem; }
.fine { --state: var(--fine); } .not-known { --state: var(--not-known); } .watch { --state:
  var(--watch); }
.in-danger { --state: var(--in-danger); } .failing { --state: var(--failing); }
.verdict { border-left: .5rem solid var(--state); }
.verdict p { max-width: 60rem; }
.level { color: var(--state); }
.tag { display: inline-block; padding: 0 .5rem; border-radius: .8rem; background: var(--state);
  color: var(--on-state);
  font-size: .8rem; line-height: 1.5; }
.findings { list-style: none; margin: .7rem 0; padding: 0; }
.findings li { padding: .45rem 0; border-top: 1px solid var(--line); }
.failed { color: var(--failing); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap:
  0 1rem; }
.bar { display: block; width: 100%; height: .9rem; border-radius: .2rem; }
.patterns { position: absolute; }
rect.free { fill: var(--free); } rect.reserved { fill: var(--reserved); } rect.blocked { fill:
  var(--blocked); }
rect.connected { fill: var(--connected); } rect.time_wait { fill: var(--time-wait); }
rect.pale { fill: var(--pale); } rect.reusable { fill: url(#stripes); } rect.fin_wait2 { fill:
  var(--fin-wait2); }
rect.established { fill: var(--established); } rect.syn_sent { fill: var(--syn-sent); }
rect.close_wait { fill: var(--close-wait); } rect.other { fill: var(--other); }
.free { --c: var(--free); } .reserved { --c: var(--reserved); } .blocked { --c: var(--blocked); }
.connected { --c: var(--connected); } .time_wait { --c: var(--time-wait); } .fin_wait2 { --c:
  var(--fin-wait2); }
.established { --c: var(--established); } .syn_sent { --c: var(--syn-sent); }
.close_wait { --c: var(--close-wait); } .other { --c: var(--other); }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .5rem; border-radius:
  .15rem;
  background: var(--c); vertical-align: -.05rem; }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; font-variant-numeric:
  tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
th, td { padding: .3rem .5rem; text-align: left; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--quiet); font-size: .8rem; font-weight: 600; line-height: 1.25;
  vertical-align: bottom; }
tbody tr { border-top: 1px solid var(--line); }
tbody th { font-weight: 600; }
.figures tbody th { font-weight: 400; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.strong { font-weight: 600; }
.none { color: var(--quiet); font-weight: 400; }
.address { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size:
  .92em; }
thead .address { font-family: inherit; font-size: .8rem; }
.bar-cell { width: 50%; vertical-align: middle; }
thead .state { border-bottom: .3rem solid var(--c); color: var(--quiet); }
thead .reusable { border-bottom-style: dashed; --c: var(--time-wait); }
.destinations .about { min-width: 11rem; }
.destinations .about .quiet { display: block; font-weight: 400; }
.error-row { border-top: 0; }
.error-row td { padding-top: 0; color: var(--quiet); font-size: .9rem; }
.bar-row { border-top: 0; }
.bar-row td { padding: 0 0 .7rem; }
footer { text-align: center; }
@media (max-width: 72rem) {
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path:
    inset(50%); }
  .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; }
  .stack tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.6rem, 1fr)); gap:
    .4rem .6rem;
    padding: .6rem 0; }
  .stack th, .stack td { padding: 0; text-align: left; }
  .stack .about { grid-column: 1 / -1; }
  .stack td.none { display: none; }
  .stack td::before { content: attr(data-label); display: block; color: var(--quiet); font-size:
    .8rem;
    font-family: system-ui, sans-serif; font-weight: 400; line-height: 1.3; }
  .stack td.state { border-left: .25rem solid var(--c); padding-left: .4rem; }
  .stack td.reusable { border-left-style: dashed; --c: var(--time-wait); }
  .stack .bar-row { display: block; padding: 0 0 .8rem; }
  .stack .bar-row td::before { content: none; }
}
@media (max-width: 30rem) {
  body { padding: .6rem; }
  section { padding: .8rem; }
  h1 { font-size: 1.25rem; }
  .figures { font-size: .9rem; }
  .figures th, .figures td { padding-left: .25rem; padding-right: .25rem; }
  .figures th:first-child, .figures td:first-child { padding-left: 0; }
  .figures th:last-child, .figures td:last-child { padding-right: 0; }
}
)css"};

}  // namespace timewait::status_page
