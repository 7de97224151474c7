"""The status page as a browser shows it, while ports run out and while nothing happens."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from situation import PORTS, RANGE, enter_namespace, fail, stage_trouble  # noqa: E402
from support.browser import Browser  # noqa: E402
from support.case import (EndToEndTest, new_directory, require_tool, run_tests, skip_or_fail,  # noqa: E402
                          start_daemon, wait_until)

# Where the pictures of the documentation go, if they are to be renewed.
PICTURES = os.environ.get("TIMEWAIT_PICTURES")
MOST_BYTES = 200_000
DESKTOP = (1280, 900)
LAPTOP = (1160, 800)
TABLET = (768, 1024)
TELEPHONE = (360, 740)
LEAST_CONTRAST = 4.5
# Processes whose connects find no port, and how many do.
FAILING = {"gunicorn": 42, "curl": 3}

# Each text of the page with its colour and that of what it stands on.
TEXTS = """
[...document.querySelectorAll("body *")].flatMap(element => {
  const text = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE)
      .map(node => node.data.trim()).join(" ").trim();
  const box = element.getBoundingClientRect();
  if (!text || !box.width || !box.height) return [];
  let under = element;
  while (under && getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
  return [[text, getComputedStyle(element).color, under ? getComputedStyle(under).backgroundColor : "none"]];
})
"""
# What reaches beyond the screen, to the right.
BEYOND = """
[...document.querySelectorAll("body *")].filter(element =>
  element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 &&
  !element.closest("caption, thead, svg")).map(element => element.outerHTML.slice(0, 120))
"""
DESTINATIONS = """
[...document.querySelectorAll(".destinations tbody tr:not(.bar-row)")].map(
    row => [...row.children].map(cell => cell.textContent))
"""
FAILURES = """
[...document.querySelectorAll(".failures tbody tr")].map(row => [...row.children].map(cell => cell.textContent))
"""
NO_NAME = """
[...document.querySelectorAll("section")].filter(section => !section.querySelector("h1, h2"))
    .concat([...document.querySelectorAll("table")].filter(table => !table.caption || !table.tHead))
    .concat([...document.querySelectorAll("a")].filter(link => !link.textContent.trim())).length
"""


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines it."""
    channels = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


class StatusPageTest(EndToEndTest):
    """A network namespace with a daemon and a browser."""

    flags: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        chromium = require_tool("chromium")
        enter_namespace()
        cls.stage()
        # Not on an ephemeral port, which the page would rightly warn of.
        cls.config = new_directory(cls.addClassCleanup) / "config.yml"
        cls.config.write_text("interval: 2s\n")
        cls.daemon = start_daemon(cls.addClassCleanup, f"--config.file={cls.config}",
                                  "--web.listen-address=127.0.0.1:10060", *cls.flags)
        cls.url = f"http://{cls.daemon.address}/"
        cls.browser = Browser(chromium, new_directory(cls.addClassCleanup), cls.addClassCleanup,
                              runs_scripts=False)

    @classmethod
    def stage(cls) -> None:
        """What there is before the daemon starts."""

    def open(self, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> None:
        self.browser.show(*size, scheme, is_mobile=size == TELEPHONE)
        self.browser.open(self.url + "?refresh=off")

    def text(self, selector: str) -> str:
        return self.browser.evaluate(f"document.querySelector({selector!r}).innerText")

    def keep_picture(self, name: str, height: float | None = None) -> None:
        picture = self.browser.screenshot(height)
        small = subprocess.run([require_tool("pngquant"), "64", "--speed", "1", "-"], input=picture,
                               capture_output=True, check=True, timeout=60).stdout
        self.assertLess(len(small), MOST_BYTES, f"{name} is too large for the documentation")
        if PICTURES:
            (Path(PICTURES) / name).write_bytes(small)

    def check_screen(self, size: tuple[int, int], scheme: str) -> None:
        self.open(size, scheme)
        self.assertEqual(self.browser.requested(), [self.url + "?refresh=off"], "the page fetches something")
        self.assertEqual(self.browser.complaints(), [], "the browser complains")
        width = self.browser.evaluate("document.documentElement.scrollWidth")
        self.assertLessEqual(width, size[0], self.browser.evaluate(BEYOND))
        self.assertEqual(self.browser.evaluate(BEYOND), [], "reaches beyond the screen")
        texts = self.browser.evaluate(TEXTS)
        self.assertGreater(len(texts), 30)
        for text, colour, background in texts:
            self.assertGreaterEqual(contrast(colour, background), LEAST_CONTRAST,
                                    f"{text!r} in {colour} on {background}, {scheme}")

    def check_all_screens(self) -> None:
        for size in (DESKTOP, LAPTOP, TABLET, TELEPHONE):
            for scheme in ("light", "dark"):
                with self.subTest(f"{size[0]} pixels wide, {scheme}"):
                    self.check_screen(size, scheme)


class Calm(StatusPageTest):
    """Nothing happens. Failed connects are those of the whole host, other tests' included."""

    flags = ("--no-collector.connect_failures",)

    def test_all_is_well(self):
        self.open()
        self.assertTrue(self.text("h1").startswith("Fine:"), self.text("h1"))
        self.check_all_screens()

    def test_it_renews_itself_unless_it_is_to_hold_still(self):
        self.browser.show(*DESKTOP, "light")
        self.browser.open(self.url)
        self.browser.wait_for_event("Page.loadEventFired")
        self.assertEqual(self.browser.requested(), [self.url, self.url])
        self.browser.open(self.url + "?refresh=off")
        self.assertEqual(self.daemon.get("/").headers["Refresh"], "5")
        self.assertNotIn("Refresh", self.daemon.get("/?refresh=off").headers)


class NothingKnown(StatusPageTest):
    """No procfs, and no advice."""

    flags = ("--path.procfs=/nonexistent", "--no-collector.advice")

    def test_it_says_so_and_why(self):
        self.open()
        self.assertEqual(self.text("h1"), "Not known: Whether ports run out is not known.")
        page = self.text("main")
        for why in ("/nonexistent/sys/net/ipv4/ip_local_port_range: No such file or directory",
                    "the collector connect_failures failed", "the collector advice is switched off"):
            self.assertIn(why, page)
        self.check_all_screens()


class Trouble(StatusPageTest):
    """One destination has no port left. The sockets are those of one poll, because TIME-WAIT does not last."""

    @classmethod
    def stage(cls) -> None:
        cls.situation = stage_trouble(is_for_pictures=PICTURES is not None)

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = new_directory(cls.addClassCleanup)
        for process, count in FAILING.items():
            fail(directory, process, count)
        if cls.counts_failures():
            wait_until(lambda: all(cls.failures_of(each) == count for each, count in FAILING.items()),
                       "all failures are counted")
        cls.config.write_text("interval: 15s\ncollectors: { sock_diag: { interval: 1h } }\n")
        os.kill(cls.daemon.pid, signal.SIGHUP)
        cls.daemon.wait_for_log(msg="configuration reloaded")
        cls.exposition = cls.daemon.scrape()

    @classmethod
    def counts_failures(cls) -> bool:
        return cls.daemon.scrape().value("timewait_connect_failures_available") == 1

    @classmethod
    def failures_of(cls, process: str) -> float | None:
        # Not the total, which is that of all network namespaces.
        return cls.daemon.scrape().value(
            "timewait_connect_failures_by_destination_total", netns="self", local_address="192.0.2.10",
            remote_address="192.0.2.20", remote_port="80", process=process)

    def test_it_says_which_destination_fails_and_why(self):
        self.open()
        heading = self.text("h1")
        self.assertEqual(heading, "Failing now: No port is left from 192.0.2.10 to 192.0.2.20:80.")
        self.assertIn(f"{PORTS:,} of {PORTS:,} ports are taken", self.text(".verdict p"))
        self.assertIn("of them are in TIME-WAIT", self.text(".verdict p"))
        self.assertEqual(self.browser.evaluate("document.title"), "Failing now · timewait_exporter")

    def test_it_names_who_fails(self):
        if not self.counts_failures():
            skip_or_fail("failed connects are not counted here")
        self.open()
        self.assertRegex(self.text("main"), r"connect\(\) calls found no port in the last five minutes")
        rows = self.browser.evaluate(FAILURES)
        for process, count in FAILING.items():
            self.assertIn(["192.0.2.20:80", "192.0.2.10", process, "self", str(count)], [row[:5] for row in rows])

    def test_the_figures_are_those_of_the_metrics(self):
        self.open()
        rows = self.browser.evaluate(DESTINATIONS)
        self.assertEqual(len(rows), 10)
        for destination, _, left, blocked, *states in rows:
            remote, local = re.fullmatch(r"(\S+) from (\S+)", destination).groups()
            address, port = remote.rsplit(":", 1)
            tuple_ = {"netns": "self", "local_address": local, "remote_address": address, "remote_port": port}
            used = self.exposition.value("timewait_connect_ports_used", **tuple_)
            reusable = self.exposition.value("timewait_connect_ports_reusable", **tuple_)
            time_wait, fin_wait2, established, syn_sent, close_wait, other = (
                self.exposition.value("timewait_connect_sockets", state=state, **tuple_)
                for state in ("time_wait", "fin_wait2", "established", "syn_sent", "close_wait", "other"))
            expected = [PORTS - used, time_wait, reusable, fin_wait2, established, syn_sent, close_wait, other]
            self.assertEqual([left, *states], [f"{each:,.0f}" for each in expected], destination)
            observed = self.exposition.value("timewait_ephemeral_ports_blocked", netns="self", evidence="observed")
            inferred = self.exposition.value("timewait_ephemeral_ports_blocked", netns="self", evidence="inferred")
            self.assertEqual(blocked, f"{observed + inferred:,.0f}")
        self.assertRegex(self.text("main"), r"\d destinations that are less full are left out")
        self.assertIn("%d–%d" % RANGE, self.text("main"))

    def test_a_screen_reader_finds_headings_heads_and_names(self):
        self.open()
        self.assertEqual(self.browser.evaluate(NO_NAME), 0)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('h1').length"), 1)
        self.open(TELEPHONE)
        tree = self.browser.call("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in tree if not node["ignored"]]
        self.assertEqual(roles.count("table"), 5, "a narrow screen takes tables apart")
        self.assertGreater(roles.count("rowheader"), 20)
        self.assertGreater(roles.count("columnheader"), 20)

    def test_every_screen(self):
        self.check_all_screens()

    def test_pictures(self):
        if PICTURES and self.counts_failures():
            self.assertEqual(self.daemon.scrape().value("timewait_connect_failures_total"), sum(FAILING.values()),
                             "other programs of this host have failed to connect as well: take the pictures again")
        end = "document.querySelector('.pair').getBoundingClientRect().bottom"
        for name, scheme in (("status-page.png", "light"), ("status-page-dark.png", "dark")):
            self.open(scheme=scheme)
            self.keep_picture(name, height=self.browser.evaluate(end))
        self.open(TELEPHONE)
        self.keep_picture("status-page-telephone.png", height=2 * TELEPHONE[1])


if __name__ == "__main__":
    run_tests()
