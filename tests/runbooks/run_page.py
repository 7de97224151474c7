"""Runs the blocks of a page and says what is wrong with them."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pages import Block, Page
from shown_output import missing_line
from support.prometheus import Prometheus

COMMAND_SECONDS = 20.0
# How long a figure takes until it is polled, scraped and has risen.
FIGURE_SECONDS = 15.0
# Commands that print what somebody has to judge: a page shows what it looks like.
_PRINTS = re.compile(r"\b(ss|curl|nstat|journalctl|grep)\b")
# What is new with each poll may be asked again; a command that changes something is run once.
_POLLED = re.compile(r"\bcurl\b")


class Runner:
    """Runs blocks where a situation is staged. `environment` is that of the commands."""

    def __init__(self, prometheus: Prometheus | None, promtool: str, directory: Path,
                 environment: Mapping[str, str], patience: float = FIGURE_SECONDS) -> None:
        self._prometheus = prometheus
        self._promtool = promtool
        self._directory = directory
        self._environment = {**os.environ, **environment}
        self._patience = patience

    def problems(self, page: Page) -> list[str]:
        """What is wrong with the page's blocks, which are run in their order."""
        return [f"{block.place}: {problem}" for block in page.blocks for problem in self._judge(block)]

    def _judge(self, block: Block) -> Iterator[str]:
        if block.language == "sh":
            yield from self._judge_commands(block)
        elif block.language == "promql":
            yield from self._judge_query(block)
        else:
            yield f"how is a block marked {block.language!r} to be run? Known are sh and promql"

    def _judge_commands(self, block: Block) -> Iterator[str]:
        if _PRINTS.search(block.text) and not block.expected:
            yield "shows nothing of what it prints; an output block belongs below it"
        problem = self._run(block)
        if problem and _POLLED.search(block.text):
            problem = self._until_none(lambda: self._run(block))
        if problem:
            yield problem

    def _run(self, block: Block) -> str | None:
        try:
            done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", block.text], check=False,
                                  capture_output=True, text=True, env=self._environment,
                                  stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            return f"does not end within {COMMAND_SECONDS:g} s"
        if done.returncode != 0 or done.stderr:
            return f"ends with {done.returncode} and says {done.stderr.strip()!r}; it printed\n{done.stdout}"
        if (missing := missing_line(block.expected, done.stdout)) is not None:
            return f"does not print, in its place, {missing!r}, but\n{done.stdout}"
        return None

    def _judge_query(self, block: Block) -> Iterator[str]:
        if problem := self._parse(block.text):
            yield problem
        elif problem := self._until_none(lambda: self._ask(block.text)):
            yield problem

    def _parse(self, query: str) -> str | None:
        """promtool's opinion of it, as the expression of a rule."""
        rules = self._directory / "query.yaml"
        expression = "".join(f"          {line}\n" for line in query.splitlines())
        rules.write_text(f"groups:\n  - name: page\n    rules:\n      - record: page\n        expr: |\n{expression}")
        done = subprocess.run([self._promtool, "check", "rules", rules], capture_output=True, text=True,
                              timeout=COMMAND_SECONDS, check=False)
        return f"promtool: {done.stderr.strip() or done.stdout.strip()}" if done.returncode else None

    def _ask(self, query: str) -> str | None:
        if self._prometheus is None:
            return "is a query, but the situation has no Prometheus"
        found = self._prometheus.get("query", query=query)["result"]
        return None if found else "the query gives no data where the situation is staged"

    def _until_none(self, judge: Callable[[], str | None]) -> str | None:
        """Nothing as soon as it has nothing to say; what it said last where that is not in time."""
        deadline = time.monotonic() + self._patience
        while (problem := judge()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return problem
