"""The rendered dashboards, and what their queries ask."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
RENDERED = SOURCE / "packaging" / "monitoring" / "rendered" / "dashboards"

# What a panel's title, a query or a text may hold for Grafana to fill in.
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
# A selector: its metric, where it has one by name, its matchers, and its range.
_SELECTOR = re.compile(r"(?P<metric>[a-zA-Z_:][\w:]*)?\{(?P<matchers>[^{}]*)\}(?P<range>\[[^\]]*\])?")


@dataclass(frozen=True)
class Query:
    """An expression of a panel or of an annotation."""

    dashboard: str
    title: str
    reference: str
    expression: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title!r}, query {self.reference}"


@dataclass(frozen=True)
class Selector:
    """What a query selects: the metric (empty where it goes by __name__) and its matchers, the range
    behind them, and what stands before."""

    metric: str
    matchers: Mapping[str, str]
    range: str
    before: str


def load() -> dict[str, dict]:
    """The dashboards by the names of their files."""
    files = sorted(RENDERED.glob("*.json"))
    if not files:
        raise AssertionError(f"{RENDERED}: no dashboards")
    return {file.stem: json.loads(file.read_text()) for file in files}


def panels(dashboard: dict) -> Iterator[dict]:
    """All panels but the titles of rows."""
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def panel_queries(dashboard: dict) -> Iterator[Query]:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield Query(dashboard["uid"], panel["title"], target["refId"], target["expr"])


def annotation_queries(dashboard: dict) -> Iterator[Query]:
    for annotation in dashboard["annotations"]["list"]:
        yield Query(dashboard["uid"], annotation["name"], "annotation", annotation["expr"])


def substitute(text: str, values: Mapping[str, str]) -> str:
    """The text with the variables filled in that have a value."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def selectors(expression: str) -> Iterator[Selector]:
    for found in _SELECTOR.finditer(expression):
        matchers = dict(re.findall(r'(\w+)((?:=~|!~|!=|=)"[^"]*")', found["matchers"]))
        yield Selector(found["metric"] or "", matchers, found["range"] or "", expression[:found.start()])


def metrics(expression: str) -> set[str]:
    """The names of the metrics that it selects."""
    return {selector.metric for selector in selectors(expression)} - {""}
