"""Turns cases.libsonnet into what `promtool test rules` reads, and finds the rules that no case looks at."""

from collections.abc import Iterable, Iterator
from typing import Any

Data = dict[str, Any]
TARGET = {"job": "timewait", "instance": "web1:10060"}
DASHBOARD_QUERY = "var-job=timewait&var-instance=web1%3A10060"


def _with_target(series: str) -> str:
    name, _, labels = series.partition("{")
    added = [f'{label}="{value}"' for label, value in TARGET.items() if f"{label}=" not in labels]
    return f"{name}{{{','.join(added + [labels.removesuffix('}')] * bool(labels))}}}"


def _expected(alert: Data, found: Data) -> Data:
    dashboard = alert["annotations"]["dashboard_url"].partition("?")[0]
    return {
        "exp_labels": TARGET | alert["labels"] | found.get("labels", {}),
        "exp_annotations": alert["annotations"] | {
            "description": found["description"], "dashboard_url": f"{dashboard}?{DASHBOARD_QUERY}"},
    }


def _alert_tests(case: Data, alert: Data) -> Iterator[Data]:
    for time in case["quiet"]:
        yield {"alertname": case["alert"], "eval_time": time, "exp_alerts": []}
    for time, fires in case["firing"].items():
        yield {"alertname": case["alert"], "eval_time": time,
               "exp_alerts": [_expected(alert, found) for found in fires]}


def _expression_tests(case: Data) -> Iterator[Data]:
    for time, expressions in case["expr"].items():
        for expression, samples in expressions.items():
            yield {"expr": expression, "eval_time": time, "exp_samples": [
                {"labels": labels, "value": value} for labels, value in samples.items()]}


def promtool_tests(cases: Iterable[Data], rules: Iterable[Data], files: list[str]) -> Data:
    alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
    tests = []
    for case in cases:
        series = [{"series": _with_target(name), "values": values}
                  for name, values in case["series"].items()]
        test = {"name": case["name"], "interval": "15s", "input_series": series}
        if "alert" in case:
            test["alert_rule_test"] = list(_alert_tests(case, alerts[case["alert"]]))
        else:
            test["promql_expr_test"] = list(_expression_tests(case))
        tests.append(test)
    return {"rule_files": files, "evaluation_interval": "15s", "tests": tests}


def untested(cases: list[Data], rules: Iterable[Data]) -> Iterator[str]:
    """What rules lack."""
    recorded = {name for case in cases for expressions in case.get("expr", {}).values()
                for name in expressions}
    for rule in rules:
        if "record" in rule:
            if rule["record"] not in recorded:
                yield f"{rule['record']} has no case"
            continue
        own = [case for case in cases if case.get("alert") == rule["alert"]]
        if not any(case["firing"] for case in own):
            yield f"{rule['alert']} has no case in which it fires"
        if not any(case["quiet"] and not case["firing"] for case in own):
            yield f"{rule['alert']} has no case in which it stays quiet"
