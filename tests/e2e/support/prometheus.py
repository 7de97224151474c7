"""A Prometheus server that scrapes daemons under test, on loopback and for as long as a test."""

import json
import urllib.parse
from pathlib import Path
from typing import Any

from support import client
from support.exposition import Series
from support.server import ANY_PORT, Server

_CONFIG = """\
global:
  scrape_interval: {interval}
  scrape_timeout: {interval}
  evaluation_interval: {interval}
scrape_configs:
"""
_JOB = """\
  - job_name: {job}
    static_configs: [targets: ["{address}"]]
{options}"""
_ALERTS = """\
rule_files: [{rules}]
alerting: {{ alertmanagers: [static_configs: [targets: ["{alertmanager}"]]] }}
"""


def alerts(rules: Path, alertmanager: str) -> str:
    """Configuration for alerts of a file, which go to the Alertmanager at that address."""
    return _ALERTS.format(rules=rules, alertmanager=alertmanager)


class Prometheus(Server):
    """A running server. `jobs` are the addresses to scrape, by the name of their job; `options` are
    further lines of each job's configuration, `more` of the whole one."""

    def __init__(self, program: str, directory: Path, jobs: dict[str, str],
                 options: str = "", more: str = "", interval: str = "1s",
                 listen_address: str = ANY_PORT) -> None:
        config = _CONFIG.format(interval=interval) + "".join(
            _JOB.format(job=job, address=address, options=options)
            for job, address in jobs.items())
        (directory / "prometheus.yml").write_text(config + more)
        command = [program, f"--config.file={directory}/prometheus.yml",
                   f"--storage.tsdb.path={directory}/data"]
        super().__init__(directory, command, listen_address)

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer of the API."""
        reply = client.request(self.address, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(reply.text)
        if answer["status"] != "success":
            raise AssertionError(f"{path} {parameters}: {reply.text}")
        return answer["data"]

    def query(self, expression: str) -> dict[Series, float]:
        """The result of an instant query: values by their series, without instance and job."""
        values = {}
        for sample in self.get("query", query=expression)["result"]:
            labels = sample["metric"]
            name = labels.pop("__name__", "")
            labels.pop("instance", None), labels.pop("job", None)
            values[name, frozenset(labels.items())] = float(sample["value"][1])
        return values

    def targets(self) -> dict[str, dict[str, Any]]:
        """What it knows of each job's one target. It takes seconds until it knows the targets."""
        active = self.get("targets")["activeTargets"]
        return {target["labels"]["job"]: target for target in active}
