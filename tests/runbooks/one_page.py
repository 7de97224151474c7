"""Runs every block of one page in namespaces in which its situation is staged: commands as a reader would, in their
order, and queries against a Prometheus that scrapes the exporter there.

Usage: TIMEWAIT_PROGRAM=build/release/timewait_exporter PYTHONPATH=tests/e2e TIMEWAIT_RUNBOOK=docs/runbooks/NAME.md \
         /usr/bin/python3 tests/runbooks/one_page.py
"""

import os
import unittest
from collections.abc import Callable
from pathlib import Path

from host import LISTEN, Host, enter_namespace
from pages import Page, read_page
from run_page import Runner
from situations import RELIEF, STAGES
from support.case import new_directory, require_tool, run_tests
from support.prometheus import Prometheus


def stage(page: Page, directory: Path, cleanup: Callable, **options) -> Runner:
    """A runner, with these options, where the page's situation is staged."""
    if page.name not in STAGES:
        raise AssertionError(f"no situation is staged for {page.name}.md, which has commands: situations.py")
    host = Host(directory, cleanup)
    STAGES[page.name](host)
    prometheus = None
    if any(block.language == "promql" for block in page.blocks):
        prometheus = Prometheus(require_tool("prometheus"), directory, {"timewait": LISTEN},
                                interval="500ms", listen_address="127.0.0.1:9090")
        cleanup(prometheus.stop)
    return Runner(prometheus, require_tool("promtool"), directory, host.environment,
                  **options)


class OnePage(unittest.TestCase):
    maxDiff = None

    def test_every_block_does_what_the_page_says(self):
        page = read_page(Path(os.environ["TIMEWAIT_RUNBOOK"]))
        if not page.blocks:
            return
        runner = stage(page, new_directory(self.addCleanup), self.addCleanup)
        relief = RELIEF.get(page.name)
        if relief:
            self.assertRaises(OSError, relief)
        self.assertEqual("\n\n".join(runner.problems(page)), "")
        if relief:
            relief()


if __name__ == "__main__":
    enter_namespace()
    run_tests()
