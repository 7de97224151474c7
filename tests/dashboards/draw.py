"""Draws the dashboards over a staged exhaustion and keeps pictures of them.

Usage: draw.py --page DIRECTORY --pictures DIRECTORY [--seconds N] [--theme dark|light] [--prometheus ADDRESS]
The page is what tests/dashboards/run makes of render/. With --prometheus nothing is staged."""

import argparse
import contextlib
import functools
import http.server
import shutil
import sys
import threading
import time
import unittest
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import stage
from dashboards import RENDERED, load
from support.browser import Browser
from support.case import SKIPPED, new_directory, require_tool

WIDTH = 1600
# Of a laptop's screen, where titles have to fit.
NARROW_WIDTH = 1280
DRAWN_SECONDS = 90.0
# The grid of a dashboard: 30 pixels a row and 8 between. Above it is a header, around it a margin.
ROW_PIXELS = 38
HEADER_PIXELS = 48
MARGIN_PIXELS = 16
# Points of a line.
POINTS = 240
WELL_WHEN_EMPTY = {"Errors"}
TRUNCATED_TITLES = "[...document.querySelectorAll('h2')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.title)"


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


def serve(cleanup: Callable, directory: Path) -> str:
    """The address at which the files are served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Silent, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cleanup(server.server_close)
    cleanup(server.shutdown)
    host, port = server.server_address
    return f"http://{host}:{port}"


def draw(page: Browser, site: str, asked: dict[str, object], width: int, height: int) -> None:
    """Returns when everything is drawn."""
    url = f"{site}/?{urllib.parse.urlencode({**asked, 'width': width})}"
    page.show(width, height, str(asked["theme"]))
    page.open(url)
    deadline = time.monotonic() + DRAWN_SECONDS
    while (title := page.evaluate("document.title")) != "drawn":
        if title.startswith("failed") or time.monotonic() > deadline:
            raise AssertionError(f"{url}: {title}")
        time.sleep(0.1)


def complaints(page: Browser) -> list[str]:
    """What a person would stumble over, as far as it can be told without eyes."""
    empty = set(page.evaluate("emptyPanels")) - WELL_WHEN_EMPTY
    return [*(f"{title!r} is empty" for title in sorted(empty)),
            *(f"the title {title!r} does not fit" for title in page.evaluate(TRUNCATED_TITLES))]


def height_of(dashboard: dict) -> int:
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    return HEADER_PIXELS + rows * ROW_PIXELS + 2 * MARGIN_PIXELS


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--prometheus", default="")
    return parser.parse_args()


def questions(name: str, now: int, address: str, arguments: argparse.Namespace) -> dict[str, object]:
    """The parameters of the page for a dashboard."""
    step = max(int(arguments.seconds / POINTS), 1)
    asked = {"dashboard": name, "prometheus": f"http://{address}", "theme": arguments.theme,
             "from": now - step * int(arguments.seconds / step), "to": now, "step": step}
    if name == "timewait-host":
        asked |= {"var-instance": stage.HOSTS[0].name, "var-netns": "self"}
    return asked


def draw_all(page: Browser, site: str, address: str, arguments: argparse.Namespace) -> list[str]:
    """Leaves the pictures; gives what is wrong with them."""
    found = []
    now = int(time.time())
    for name, dashboard in load().items():
        asked = questions(name, now, address, arguments)
        height = height_of(dashboard)
        draw(page, site, asked, NARROW_WIDTH, height)
        found += [f"{name}: {complaint}" for complaint in complaints(page)]
        draw(page, site, asked, WIDTH, height)
        picture = arguments.pictures / f"dashboard-{name.removeprefix('timewait-')}.png"
        picture.write_bytes(page.screenshot())
        print(f"{picture.name}: {WIDTH} x {height}")
    return found


def main() -> int:
    arguments = parse()
    program = require_tool("chromium")
    with contextlib.ExitStack() as ends:
        address = arguments.prometheus
        if not address:
            address = stage.start(ends.callback, arguments.seconds).address
            time.sleep(arguments.seconds)
        shutil.copytree(RENDERED, arguments.page / "dashboards", dirs_exist_ok=True)
        site = serve(ends.callback, arguments.page)
        page = Browser(program, new_directory(ends.callback), ends.callback, runs_scripts=True)
        found = draw_all(page, site, address, arguments)
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except unittest.SkipTest as reason:
        print(reason)
        sys.exit(SKIPPED)
