"""Runs the blocks of every page: one_page.py for each, some at a time. The most of its time a page waits for
figures."""

import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pages import ADVICE, RUNBOOKS
from support.case import SKIPPED, run_tests

AT_A_TIME = 10
PAGE_SECONDS = 100.0
ONE_PAGE = Path(__file__).with_name("one_page.py")


def run_page(path: Path) -> tuple[int, str]:
    """Exit status and output of the page's test."""
    try:
        done = subprocess.run([sys.executable, "-B", ONE_PAGE], env={**os.environ, "TIMEWAIT_RUNBOOK": str(path)},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PAGE_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        return 1, f"it takes longer than {PAGE_SECONDS:g} s:\n{late.stdout}"
    return done.returncode, done.stdout


class Pages(unittest.TestCase):
    def test_each_page_keeps_its_word(self):
        paths = [*sorted(RUNBOOKS.glob("*.md")), ADVICE]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            results = list(pool.map(run_page, paths))
        if all(status == SKIPPED for status, _ in results):
            self.skipTest(results[0][1])
        for path, (status, output) in zip(paths, results):
            with self.subTest(page=path.name):
                self.assertIn(status, (0, SKIPPED), output)


if __name__ == "__main__":
    run_tests()
