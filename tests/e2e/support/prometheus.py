"""A Prometheus server that scrapes daemons under test, on loopback and for as long as a test."""

import json
import re
import subprocess
import time
import urllib.parse
from pathlib import Path
from typing import Any

from support import client
from support.daemon import launcher
from support.exposition import Series

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_LISTENING = re.compile(r'msg="Listening on".* address=(?P<address>\S+)\s')
_CONFIG = """\
global:
  scrape_interval: {interval}
  scrape_timeout: {interval}
scrape_configs:
"""
_JOB = """\
  - job_name: {job}
    static_configs: [targets: ["{address}"]]
{options}"""


class Prometheus:
    """A running server. `jobs` are the addresses to scrape, by the name of their job; `options` are
    further lines of each job's configuration."""

    def __init__(self, program: str, directory: Path, jobs: dict[str, str],
                 options: str = "", interval: str = "1s", listen_address: str = "127.0.0.1:0") -> None:
        self._program = program
        self._directory = directory
        self._listen_address = listen_address
        config = _CONFIG.format(interval=interval) + "".join(
            _JOB.format(job=job, address=address, options=options)
            for job, address in jobs.items())
        (directory / "prometheus.yml").write_text(config)
        self._start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        with (self._directory / "prometheus.log").open("w") as log:
            self._process = subprocess.Popen(
                [*launcher(), self._program,
                 f"--config.file={self._directory}/prometheus.yml",
                 f"--storage.tsdb.path={self._directory}/data",
                 f"--web.listen-address={self._listen_address}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("Prometheus does not start:\n" + self._log())
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        """From here on `address` is the one that it has chosen."""
        listening = _LISTENING.search(self._log())
        if listening is None:
            return False
        self.address = listening["address"]
        return client.request(self.address, "/-/ready").status == 200

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
