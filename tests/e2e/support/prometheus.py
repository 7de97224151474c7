"""A Prometheus server that scrapes daemons under test, on loopback and for as long as a test."""

import json
import subprocess
import time
import urllib.parse
from pathlib import Path
from typing import Any

from support import client
from support.daemon import launcher
from support.exposition import Series
from support.sockets import unused_port

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_CONFIG = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
"""
_JOB = """\
  - job_name: {job}
    static_configs: [targets: ["{address}"]]
"""


class Prometheus:
    """A running server. `jobs` are the addresses to scrape, by the name of their job."""

    def __init__(self, program: str, directory: Path, jobs: dict[str, str]) -> None:
        self._program = program
        self._directory = directory
        config = _CONFIG + "".join(
            _JOB.format(job=job, address=address) for job, address in jobs.items())
        (directory / "prometheus.yml").write_text(config)
        deadline = time.monotonic() + START_SECONDS
        while not self._start(deadline):
            if time.monotonic() > deadline:
                raise AssertionError("Prometheus does not start:\n" + self._log())

    def _start(self, deadline: float) -> bool:
        """False where it has ended, as it does when somebody else has taken its port."""
        self.address = f"127.0.0.1:{unused_port()}"
        with (self._directory / "prometheus.log").open("w") as log:
            self._process = subprocess.Popen(
                [*launcher(), self._program,
                 f"--config.file={self._directory}/prometheus.yml",
                 f"--storage.tsdb.path={self._directory}/data",
                 f"--web.listen-address={self.address}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ready():
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def _is_ready(self) -> bool:
        try:
            return client.request(self.address, "/-/ready").status == 200
        except ConnectionError:
            return False

    def _log(self) -> str:
        return (self._directory / "prometheus.log").read_text()

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

    def stop(self) -> None:
        """Ends it where it has not ended."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
