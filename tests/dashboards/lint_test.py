"""Each rule of lint.py finds what it is there for."""

import copy
import unittest

import lint
from dashboards import load, panels

NAME = "timewait-host"
KNOWN = lint.documented_metrics() | lint.OF_PROMETHEUS


def first(dashboard: dict, kind: str) -> dict:
    return next(panel for panel in panels(dashboard) if panel["type"] == kind)


def variable(dashboard: dict, name: str) -> dict:
    return next(each for each in dashboard["templating"]["list"] if each["name"] == name)


def drop_variable(dashboard: dict, name: str) -> None:
    dashboard["templating"]["list"].remove(variable(dashboard, name))


def ask(expression: str):
    def change(dashboard: dict) -> None:
        first(dashboard, "timeseries")["targets"][0]["expr"] = expression
    return change


CHOSEN = 'job=~"$job", instance=~"$instance"'

# What is done to a good dashboard, and what has to be said then.
DAMAGES = {
    "editable is": lambda d: d.update(editable=True),
    "schemaVersion is": lambda d: d.update(schemaVersion=16),
    "graphTooltip is": lambda d: d.update(graphTooltip=0),
    "timezone is": lambda d: d.update(timezone="utc"),
    "uid is": lambda d: d.update(uid="another"),
    "has an id": lambda d: d.update(id=7),
    "lacks the tag": lambda d: d.update(tags=[]),
    "has no title": lambda d: d.update(title=""),
    "has no description": lambda d: d.pop("description"),
    "has no refresh": lambda d: d.update(refresh=""),
    "variable datasource: missing": lambda d: drop_variable(d, "datasource"),
    "variable job: missing": lambda d: drop_variable(d, "job"),
    "variable netns: missing": lambda d: drop_variable(d, "netns"),
    "variable job: no label": lambda d: variable(d, "job").update(label=""),
    "variable datasource: does not choose": lambda d: variable(d, "datasource").update(query="loki"),
    "variable job: not from": lambda d: variable(d, "job").update(datasource={"uid": "prometheus"}),
    "variable job: not asked for again": lambda d: variable(d, "job").update(refresh=1),
    "variable job: one value only": lambda d: variable(d, "job").update(allValue=".*"),
    "several panels have the id": lambda d: d["panels"][1].update(id=d["panels"][2]["id"]),
    "several panels have the title": lambda d: d["panels"][1].update(title=d["panels"][2]["title"]),
    "is wider than the dashboard": lambda d: first(d, "stat")["gridPos"].update(w=25),
    "overlap": lambda d: d["panels"][2].update(gridPos=d["panels"][1]["gridPos"]),
    "no title": lambda d: first(d, "stat").update(title=""),
    "no description": lambda d: first(d, "stat").pop("description"),
    "no query": lambda d: first(d, "table").update(targets=[]),
    "no unit": lambda d: first(d, "timeseries")["fieldConfig"]["defaults"].pop("unit"),
    "does not say what no data means": lambda d: first(d, "stat")["fieldConfig"]["defaults"].pop("noValue"),
    "several queries A": lambda d: first(d, "table")["targets"][1].update(refId="A"),
    ": not from ${datasource}": lambda d: first(d, "stat").update(datasource={"uid": "x"}),
    "query not from ${datasource}": lambda d: first(d, "stat")["targets"][0].pop("datasource"),
    "is selected without a matcher": ask("sum(timewait_sockets)"),
    "is not limited to $job": ask('timewait_sockets{instance=~"$instance"}'),
    "is not limited to $instance": ask('timewait_sockets{job=~"$job", instance="$instance"}'),
    "is not documented": ask(f"timewait_nonesuch{{{CHOSEN}}}"),
    "is not under rate() or increase()": ask(f"sum(timewait_netstat_tw_total{{{CHOSEN}}})"),
    "the range of": ask(f"rate(timewait_netstat_tw_total{{{CHOSEN}}}[5m])"),
}


class Lint(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.good = load()[NAME]

    def test_each_damage_is_found(self):
        for expected, damage in DAMAGES.items():
            with self.subTest(expected):
                damaged = copy.deepcopy(self.good)
                damage(damaged)
                new = set(lint.problems(NAME, damaged, KNOWN)) - set(lint.problems(NAME, self.good, KNOWN))
                self.assertTrue(any(expected in problem for problem in new), new)

    def test_an_exception_that_is_none_any_more_is_found(self):
        self.assertEqual(len(lint.judge([])), len(lint.EXCEPTIONS))
        self.assertEqual(lint.judge([*lint.EXCEPTIONS, "x: y"]), ["x: y"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
