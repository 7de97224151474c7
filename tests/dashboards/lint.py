"""The rules of Grafana's dashboard-linter for Prometheus dashboards, and some that this project adds.

Usage: lint.py, for the rendered dashboards."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from dashboards import SOURCE, load, panels, selectors

TAG = "timewait-mixin"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WHOLE_DASHBOARD = {"editable": False, "schemaVersion": 39, "graphTooltip": 1, "timezone": "browser"}
VARIABLES = ("datasource", "job", "instance", "netns")
NEED_A_UNIT = ("stat", "timeseries", "bargauge")
COUNTER_FUNCTIONS = r"(?:rate|irate|increase)\($"
RANGES = ("[$__rate_interval]", "[$__range]")
COLUMNS = 24
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}

# What breaks a rule on purpose: the beginning of the problem, and why.
EXCEPTIONS = {
    "timewait-host: variable instance: one value only": "the dashboard is about one host",
    "timewait-host: variable netns: one value only": "it would have to be in every legend",
    "timewait-fleet: 'Connects that found no port, in the time range': counter":
        "the first value of a series is failures, too, which increase() does not know",
    "timewait-host: 'Connects that found no port, in the time range': counter":
        "the same",
}


def documented_metrics() -> set[str]:
    text = (SOURCE / "docs" / "metrics.md").read_text()
    return set(re.findall(r"^\| ((?:timewait|process)_\w+) \|", text, re.MULTILINE))


def dashboard_problems(name: str, dashboard: dict) -> Iterator[str]:
    for key, expected in WHOLE_DASHBOARD.items():
        if dashboard.get(key) != expected:
            yield f"{key} is {dashboard.get(key)!r}, not {expected!r}"
    if dashboard.get("uid") != name:
        yield f"uid is {dashboard.get('uid')!r}, not the name of the file"
    if "id" in dashboard:
        yield "has an id, which belongs to one Grafana"
    if TAG not in dashboard.get("tags", []):
        yield f"lacks the tag {TAG}"
    for key in ("title", "description", "refresh"):
        if not dashboard.get(key):
            yield f"has no {key}"


def variable_problems(dashboard: dict) -> Iterator[str]:
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    yield from (f"variable {name}: missing" for name in VARIABLES if name not in variables)
    for name, variable in variables.items():
        if not variable.get("label"):
            yield f"variable {name}: no label"
        if name == "datasource":
            if (variable["type"], variable["query"]) != ("datasource", "prometheus"):
                yield "variable datasource: does not choose a Prometheus"
            continue
        if variable.get("datasource") != DATASOURCE:
            yield f"variable {name}: not from ${{datasource}}"
        if variable.get("refresh") != 2:
            yield f"variable {name}: not asked for again when the time range changes"
        if not (variable.get("multi") and variable.get("includeAll") and variable.get("allValue") == ".+"):
            yield f"variable {name}: one value only"


def layout_problems(dashboard: dict) -> Iterator[str]:
    for key in ("id", "title"):
        seen = Counter(panel.get(key) for panel in dashboard["panels"])
        yield from (f"several panels have the {key} {value!r}" for value, number in seen.items() if number > 1)
    for panel in dashboard["panels"]:
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > COLUMNS:
            yield f"{panel['title']!r} is wider than the dashboard"
    for first, second in combinations(dashboard["panels"], 2):
        if _overlap(first["gridPos"], second["gridPos"]):
            yield f"{first['title']!r} and {second['title']!r} overlap"


def _overlap(first: dict, second: dict) -> bool:
    return all(first[start] < second[start] + second[size] and second[start] < first[start] + first[size]
               for start, size in (("x", "w"), ("y", "h")))


def panel_problems(panel: dict) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    if panel.get("datasource") != DATASOURCE:
        yield "not from ${datasource}"
    for key in ("title", "description"):
        if not panel.get(key):
            yield f"no {key}"
    if not panel.get("targets"):
        yield "no query"
    if panel["type"] in NEED_A_UNIT and not defaults.get("unit"):
        yield "no unit"
    if "noValue" not in defaults:
        yield "does not say what no data means"
    references = Counter(target["refId"] for target in panel.get("targets", []))
    yield from (f"several queries {name}" for name, number in references.items() if number > 1)


def target_problems(target: dict, known: set[str]) -> Iterator[str]:
    expression = target["expr"]
    if target.get("datasource") != DATASOURCE:
        yield "query not from ${datasource}"
    without_selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r'"[^"{}]*"', '""', expression))
    for name in re.findall(r"\b(?:timewait|process)_\w+(?![\w{])", without_selectors):
        yield f"{name} is selected without a matcher"
    for selector in selectors(expression):
        what = selector.metric or "{__name__}"
        for label in ("job", "instance"):
            if selector.matchers.get(label) != f'=~"${label}"':
                yield f"{what} is not limited to ${label}"
        if selector.metric and selector.metric not in known:
            yield f"{what} is not documented"
        is_under_rate = re.search(COUNTER_FUNCTIONS, selector.before) is not None
        if selector.metric.endswith("_total") and not is_under_rate:
            yield f"counter {what} is not under rate() or increase()"
        if is_under_rate and selector.range not in RANGES:
            yield f"the range of {what} is {selector.range}, not one of {' '.join(RANGES)}"


def problems(name: str, dashboard: dict, known: set[str]) -> Iterator[str]:
    """What is wrong with a dashboard, each beginning with its name."""
    for check in (lambda: dashboard_problems(name, dashboard), lambda: variable_problems(dashboard),
                  lambda: layout_problems(dashboard)):
        yield from (f"{name}: {problem}" for problem in check())
    for panel in panels(dashboard):
        place = f"{name}: {panel.get('title')!r}"
        yield from (f"{place}: {problem}" for problem in panel_problems(panel))
        for target in panel.get("targets", []):
            yield from (f"{place}: {problem}" for problem in target_problems(target, known))


def judge(found: list[str]) -> list[str]:
    """The problems that are no exceptions, and the exceptions that are none any more."""
    stale = [f"no longer an exception: {start}" for start in EXCEPTIONS
             if not any(problem.startswith(start) for problem in found)]
    return [problem for problem in found if not problem.startswith(tuple(EXCEPTIONS))] + stale


def main() -> int:
    known = documented_metrics() | OF_PROMETHEUS
    dashboards = load()
    left = judge([problem for name, dashboard in dashboards.items()
                  for problem in problems(name, dashboard, known)])
    print("\n".join(left) or f"{len(dashboards)} dashboards keep every rule")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
