"""The mixin of packaging/monitoring: its rendered files, its form, and when its alerts fire."""

import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path
from typing import Any

from rule_cases import promtool_tests, untested
from support.case import new_directory, require_tool, run_tests

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MIXIN = ROOT / "packaging" / "monitoring"
RENDERED = MIXIN / "rendered"
PROMETHEUS_RULE = ROOT / "packaging" / "kubernetes" / "base" / "prometheusrule.yaml"
METRICS = ROOT / "docs" / "metrics.md"

PATIENCE_SECONDS = 150
SEVERITIES = {"critical", "warning", "info"}
ANNOTATIONS = {"summary", "description", "runbook_url", "dashboard_url"}


def run(*command: str | Path) -> str:
    """What a command prints; its failure fails the test with that."""
    done = subprocess.run(command, text=True, check=False, timeout=PATIENCE_SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def evaluate(expression: str) -> Any:
    return json.loads(run(require_tool("jsonnet"), "--jpath", ROOT, "--exec", expression))


def files_below(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text()
            for path in directory.rglob("*") if path.is_file()}


class Mixin(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        groups = ".prometheusAlerts.groups + mixin.prometheusRules.groups"
        mixin = "local mixin = import 'packaging/monitoring/mixin.libsonnet'; mixin"
        cls.rules = [rule for group in evaluate(mixin + groups) for rule in group["rules"]]
        cls.cases = evaluate("import 'tests/monitoring/cases.libsonnet'")

    def test_what_is_committed_is_what_render_makes(self):
        require_tool("jsonnet")
        directory = new_directory(self.addCleanup)
        run(MIXIN / "render", directory)
        fresh = files_below(directory)
        self.assertEqual(fresh.pop("prometheusrule.yaml"), PROMETHEUS_RULE.read_text(),
                         "run packaging/monitoring/render")
        self.assertEqual(fresh, files_below(RENDERED), "run packaging/monitoring/render")

    def test_overrides_reach_the_rendered_files(self):
        require_tool("jsonnet")
        directory = new_directory(self.addCleanup)
        overrides = directory / "overrides.libsonnet"
        overrides.write_text("""{ _config+:: {
            timewaitExporterSelector: '',
            runbookURLPattern: 'https://wiki/%s',
            alerts+: { TimewaitBucketLimitNear+: { threshold: 0.5, 'for': '7m' } },
        } }""")
        run(MIXIN / "render", directory, overrides)
        alerts = (directory / "alerts.yaml").read_text()
        for text in ("[2m]) / timewait_sysctl_net_ipv4_tcp_max_tw_buckets > 0.5", 'for: "7m"',
                     '"https://wiki/TimewaitBucketLimitNear"'):
            self.assertIn(text, alerts)
        self.assertNotIn('job="timewait"', alerts)
        run(require_tool("promtool"), "check", "rules", directory / "alerts.yaml")

    def test_jsonnetfmt_has_nothing_to_change(self):
        sources = [path for directory in (MIXIN, HERE) for path in directory.rglob("*sonnet")]
        self.assertGreater(len(sources), 10)
        run(require_tool("jsonnetfmt"), "--test", *sources)

    def test_promtool_has_nothing_to_say(self):
        for name in ("alerts.yaml", "rules.yaml"):
            said = run(require_tool("promtool"), "check", "rules", "--lint=all", RENDERED / name)
            self.assertRegex(said, rf"\AChecking {RENDERED / name}\n  SUCCESS: \d+ rules found\n\n\Z")

    def test_alerts_fire_when_they_should(self):
        directory = new_directory(self.addCleanup)
        files = ["alerts.yaml", "rules.yaml"]
        for name in files:
            shutil.copy(RENDERED / name, directory)
        tests = promtool_tests(self.cases, self.rules, files)
        (directory / "tests.json").write_text(json.dumps(tests))
        run(require_tool("promtool"), "test", "rules", directory / "tests.json")

    def test_every_rule_has_its_cases(self):
        self.assertEqual(list(untested(self.cases, self.rules)), [])

    def test_a_rule_that_lacks_a_case_is_found(self):
        alert = {"alert": "A"}
        fires = {"alert": "A", "firing": {"1m": []}, "quiet": ["0m"]}
        stays_quiet = {"alert": "A", "firing": {}, "quiet": ["0m"]}
        self.assertEqual(list(untested([fires, stays_quiet], [alert])), [])
        self.assertEqual(list(untested([fires], [alert])), ["A has no case in which it stays quiet"])
        self.assertEqual(list(untested([stays_quiet], [alert])), ["A has no case in which it fires"])
        self.assertEqual(list(untested([{"expr": {"1m": {"b": {}}}}], [{"record": "a"}])), ["a has no case"])

    def test_every_alert_says_what_it_has_to(self):
        for rule in self.rules:
            if "alert" not in rule:
                continue
            with self.subTest(rule["alert"]):
                self.assertTrue(rule["alert"].startswith("Timewait"))
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                self.assertEqual(rule["annotations"].keys(), ANNOTATIONS)
                self.assertNotIn("{{", rule["annotations"]["summary"], "a sentence that stays the same")
                self.assertIn(rule["alert"], rule["annotations"]["runbook_url"])
                self.assertIn("$labels.instance", rule["annotations"]["description"])

    def test_every_metric_exists(self):
        rules = self.rules
        known = set(re.findall(r"^\| (\w+) \|", METRICS.read_text(), re.MULTILINE))
        known |= {rule["record"] for rule in rules if "record" in rule}
        used = {name for rule in rules
                for text in (rule["expr"], rule.get("annotations", {}).get("description", ""))
                for name in re.findall(r"(?<![\w:\"])\w*:?timewait_[\w:]+", text)}
        self.assertGreater(len(used), 20)
        self.assertEqual(used - known, set())


if __name__ == "__main__":
    run_tests()
