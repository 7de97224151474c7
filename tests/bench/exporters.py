"""The program and node_exporter as processes in the benchmark's namespace, on ports below the ephemeral
ones: with a million TIME-WAIT sockets bind() finds no other free port."""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from parts import Failed, cpu_seconds, find_tool
from support import client
from support.daemon import PROGRAM, Daemon, launcher

DAEMON_PORT = 900
NODE_EXPORTER_PORT = 910
START_SECONDS = 10.0
SETTLE_SECONDS = 0.02


def config_of(interval: str, /, **sock_diag: object) -> str:
    options = ", ".join(f"{key}: {value}" for key, value in sock_diag.items())
    return f"interval: {interval}\ncollectors: {{ sock_diag: {{ {options} }} }}\n"


def accepts(config: str) -> bool:
    """Whether the program takes this configuration."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yaml"
        file.write_text(config)
        command = [*launcher(), PROGRAM, f"--config.file={file}", "--config.check"]
        return subprocess.run(command, capture_output=True, timeout=START_SECONDS, check=False).returncode == 0


def config_without_budget(interval: str, /, **sock_diag: object) -> str:
    """One in which nothing keeps the collector from its interval."""
    free = config_of(interval, cpu_budget_ratio=1, **sock_diag)
    return free if accepts(free) else config_of(interval, **sock_diag)


@contextlib.contextmanager
def running_daemon(config: str) -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yaml"
        file.write_text(config)
        daemon = Daemon.on_loopback(
            f"--web.listen-address=127.0.0.1:{DAEMON_PORT}", f"--config.file={file}")
        try:
            daemon.wait_until_ready()
            yield daemon
            daemon.stop()
        finally:
            daemon.kill()


def settled_cpu_seconds(pid: int) -> float:
    """The CPU time of a process that has come to rest: a garbage collector outlasts the reply."""
    deadline = time.monotonic() + START_SECONDS
    before = cpu_seconds(pid)
    while True:
        time.sleep(SETTLE_SECONDS)
        after = cpu_seconds(pid)
        if after - before < SETTLE_SECONDS / 20:
            return after
        if time.monotonic() > deadline:
            raise Failed("node_exporter does not come to rest")
        before = after


class NodeExporter:
    """node_exporter with one collector and nothing else."""

    PROGRAM = find_tool("prometheus-node-exporter", "node_exporter")

    def __init__(self, collector: str) -> None:
        self._process = subprocess.Popen(
            [*launcher(), self.PROGRAM, "--collector.disable-defaults", f"--collector.{collector}",
             "--web.disable-exporter-metrics", f"--web.listen-address=127.0.0.1:{NODE_EXPORTER_PORT}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_listening()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", NODE_EXPORTER_PORT), START_SECONDS).close()
                return
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise Failed("node_exporter does not start")
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds_of_scrape(self) -> float:
        before = settled_cpu_seconds(self.pid)
        connection = client.connect(f"127.0.0.1:{NODE_EXPORTER_PORT}")
        connection.timeout = START_SECONDS * 6
        with contextlib.closing(connection):
            if client.exchange(connection, "GET", "/metrics").status != 200:
                raise Failed("node_exporter refuses a scrape")
        return settled_cpu_seconds(self.pid) - before

    def close(self) -> None:
        self._process.kill()
        self._process.wait(START_SECONDS)
