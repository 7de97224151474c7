"""What the dashboards ask Prometheus: promtool takes each query, and each has an answer where a daemon is
scraped."""

import json
import socket
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from dashboards import Query, annotation_queries, load, metrics, panel_queries, panels, substitute
from support.case import EndToEndTest, new_directory, require_tool, run_tests, start_daemon, wait_until
from support.daemon import PROGRAM
from support.failing_connects import FailingProcess, require_tracefs, with_tracefs
from support.prometheus import Prometheus

VALUES = {"job": ".+", "instance": ".+", "netns": ".+", "__rate_interval": "15s", "__range": "1m"}

# Metrics that not every kernel has, and why.
KERNEL_MAY_LACK = {
    "timewait_netstat_paws_passive_total": "went with tcp_tw_recycle in Linux 4.12",
    "timewait_netstat_paws_old_ack_total": "not yet in Linux 6.12",
    "timewait_netstat_paws_timewait_total": "not yet in Linux 6.12",
    "timewait_netstat_ts_ecr_rejected_total": "not yet in Linux 6.12",
}
# Queries without an answer where all is well, and why.
EMPTY_WHERE_ALL_IS_WELL = {
    ("timewait-host", "Full in"): "no destination is about to be full",
    ("timewait-exporter", "Errors"): "there are none",
    ("timewait-fleet", "Advice that speaks"): "no rule does",
    ("timewait-fleet", "Alerts"): "the rules are not loaded",
    ("timewait-host", "Alerts"): "the rules are not loaded",
}
# What the metrics of a collector that wants a privilege begin with.
PRIVILEGED = {"connect_failures": "timewait_connect_failures_", "slabinfo": "timewait_slab_"}


def all_queries() -> list[Query]:
    return [query for dashboard in load().values()
            for query in (*panel_queries(dashboard), *annotation_queries(dashboard))]


def as_rules(queries: list[Query]) -> str:
    """A file of recording rules, which is YAML as JSON is."""
    rules = [{"record": f"dashboard:query:{number}", "expr": substitute(query.expression, VALUES)}
             for number, query in enumerate(queries)]
    return json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}, indent=1)


def check_rules(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([require_tool("promtool"), "check", "rules", file], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)


class Parsed(EndToEndTest):
    def test_promtool_takes_every_query(self):
        file = self.directory() / "rules.yml"
        queries = all_queries()
        file.write_text(as_rules(queries))
        done = check_rules(file)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"{len(queries)} rules found", done.stdout)

    def test_promtool_refuses_a_query_that_is_none(self):
        file = self.directory() / "rules.yml"
        file.write_text(as_rules([Query("x", "y", "A", 'rate(up{job=~"$job"})')]))
        self.assertNotEqual(check_rules(file).returncode, 0)

    def test_every_variable_is_filled_in(self):
        for query in all_queries():
            left = substitute(query.expression, VALUES).replace("$1", "")  # of label_replace()
            self.assertNotIn("$", left, query)


class Answered(EndToEndTest):
    """A daemon with connections of its host in several states, scraped each second."""

    @classmethod
    def setUpClass(cls) -> None:
        program = require_tool("prometheus")
        cls.tracefs = new_directory(cls.addClassCleanup)
        command = with_tracefs(cls.tracefs, [PROGRAM]) if cls.has_tracefs() else [PROGRAM]
        cls.daemon = start_daemon(cls.addClassCleanup, config="interval: 500ms\n", command=command)
        cls.prometheus = Prometheus(program, new_directory(cls.addClassCleanup),
                                    {"timewait": cls.daemon.address})
        cls.addClassCleanup(cls.prometheus.stop)
        cls.make_connections()
        success = cls.daemon.scrape().all_of("timewait_exporter_collector_success")
        cls.failing = {dict(labels)["collector"] for labels, value in success.items() if value == 0}
        latest = "timewait_connect_ports_used"
        if "connect_failures" not in cls.failing:
            FailingProcess(cls.addClassCleanup, new_directory(cls.addClassCleanup), "short_of_ports").fail(3)
            latest = 'timewait_connect_failures_by_destination_total{process="short_of_ports"}'
        for scrapes in range(1, 5):
            wait_until(lambda: cls.prometheus.query(f"count_over_time({latest}[1m]) >= {scrapes}"),
                       f"{latest} was scraped {scrapes} times")

    @classmethod
    def has_tracefs(cls) -> bool:
        try:
            require_tracefs(cls.tracefs)
        except unittest.SkipTest as reason:
            print(reason)
            return False
        return True

    @classmethod
    def make_connections(cls) -> None:
        """One in TIME-WAIT at the client, one at the server, and one that the server has not closed."""
        server = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(server.close)
        for closes_first in ("client", "server", "neither"):
            client = socket.create_connection(server.getsockname())
            accepted, _ = server.accept()
            ends = {"client": (client, accepted), "server": (accepted, client)}
            if closes_first in ends:
                for end in ends[closes_first]:
                    end.close()
            else:
                client.close()
                cls.addClassCleanup(accepted.close)

    def reason_to_be_empty(self, query: Query) -> str:
        asked = metrics(query.expression)
        if (query.dashboard, query.title) in EMPTY_WHERE_ALL_IS_WELL:
            return EMPTY_WHERE_ALL_IS_WELL[query.dashboard, query.title]
        for collector, prefix in PRIVILEGED.items():
            if collector in self.failing and any(name.startswith(prefix) for name in asked):
                return f"{collector} lacks a privilege"
        return next((KERNEL_MAY_LACK[name] for name in asked if name in KERNEL_MAY_LACK), "")

    def answer(self, expression: str) -> list:
        result = self.prometheus.get("query", query=substitute(expression, VALUES))["result"]
        return [sample for sample in result if sample["value"][1] != "NaN"]

    def test_every_query_has_an_answer(self):
        for query in all_queries():
            with self.subTest(str(query)):
                if not self.answer(query.expression) and not self.reason_to_be_empty(query):
                    self.fail(f"no answer to {substitute(query.expression, VALUES)}")

    def test_no_panel_is_empty(self):
        for dashboard in load().values():
            queries = list(panel_queries(dashboard))
            for title in (panel["title"] for panel in panels(dashboard)):
                asked = [query for query in queries if query.title == title]
                has_data = any(self.answer(query.expression) for query in asked)
                unprivileged = all("privilege" in self.reason_to_be_empty(query) for query in asked)
                excuse = (dashboard["uid"], title) in EMPTY_WHERE_ALL_IS_WELL or unprivileged
                self.assertTrue(has_data or excuse, f"{dashboard['uid']}: {title!r} is empty")

    def test_every_variable_has_values(self):
        for name, dashboard in load().items():
            for variable in dashboard["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                inside = variable["query"]["query"].removeprefix("label_values(").removesuffix(")")
                metric, _, label = inside.rpartition(", ")
                series = self.prometheus.get("series", **{"match[]": substitute(metric, VALUES)})
                values = {each.get(label) for each in series} - {None}
                self.assertTrue(values, f"{name}: variable {variable['name']}")

    def test_every_excuse_is_needed(self):
        queries = all_queries()
        asked = set().union(*(metrics(query.expression) for query in queries))
        self.assertEqual(set(KERNEL_MAY_LACK) - asked, set())
        titles = {(query.dashboard, query.title) for query in queries}
        self.assertEqual(set(EMPTY_WHERE_ALL_IS_WELL) - titles, set())


if __name__ == "__main__":
    run_tests()
