"""The processes that the benchmark is made of, and what they cost."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.daemon import launcher
from support.failing_connects import with_tracefs

BENCH = os.environ["TIMEWAIT_BENCH"]
COMMAND_SECONDS = 120.0
HOLD_SECONDS = 300.0


class Failed(Exception):
    """The benchmark cannot go on."""


def find_tool(*names: str) -> str | None:
    """The path of the first of these programs that is installed."""
    return next(filter(None, map(shutil.which, names)), None)


def cpu_seconds(pid: int) -> float:
    """User and system time of a running process so far, as clock_getcpuclockid(3) has it: of all its
    threads and exact, where /proc/PID/stat counts in hundredths of a second."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_bytes(pid: int, file: str, field: str) -> int:
    """A field in kB of /proc/PID/FILE."""
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise Failed(f"/proc/{pid}/{file} has no {field}")


def peak_resident_bytes(pid: int) -> int:
    return memory_bytes(pid, "status", "VmHWM")


def resident_bytes(pid: int) -> int:
    """Exact, unlike VmRSS, which lags behind by some pages for each processor."""
    return memory_bytes(pid, "smaps_rollup", "Rss")


def cpu_seconds_of_command(command: Sequence[str]) -> float:
    """What a command takes from its start to its end, with its output thrown away."""
    process = subprocess.Popen([*launcher(), *command], stdout=subprocess.DEVNULL)
    timer = threading.Timer(COMMAND_SECONDS, process.kill)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


class Part:
    """A timewait_bench process that answers lines."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [*launcher(), BENCH, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str, seconds: float = COMMAND_SECONDS) -> dict:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        readable, _, _ = select.select([self._process.stdout], [], [], seconds)
        answer = self._process.stdout.readline() if readable else ""
        if not answer:
            raise Failed(f"no answer to {line!r}")
        return json.loads(answer)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(COMMAND_SECONDS)


@dataclass(frozen=True)
class Population:
    """So many TIME-WAIT sockets, spread evenly over so many tuples."""

    sockets: int
    tuples: int


class Sockets(Part):
    """The sockets of the namespace."""

    def __init__(self) -> None:
        super().__init__("hold")

    def hold(self, population: Population, seconds: int) -> int:
        """Returns their number as soon as all are there for so many seconds."""
        line = f"{population.sockets} {population.tuples} {seconds}"
        return self.ask(line, HOLD_SECONDS)["time_wait"]


class Meter(Part):
    """The bare walk and the collector's poll, each in the same process again and again."""

    def __init__(self) -> None:
        super().__init__("measure")
        self.counts: dict[str, int] = {}  # that each has found last

    def cpu_seconds_of(self, way: str) -> float:
        answer = self.ask(way)
        self.counts[way] = answer["time_wait"]
        return answer["cpu_microseconds"] / 1e6


def measure_connect_cost(rounds: int, connections: int) -> dict | None:
    """What counting failed connects adds to those that succeed; nothing where tracefs cannot be mounted."""
    with tempfile.TemporaryDirectory() as directory:
        command = with_tracefs(Path(directory), [BENCH, "connects", directory, str(rounds), str(connections)])
        done = subprocess.run([*launcher(), *command], stdout=subprocess.PIPE, timeout=COMMAND_SECONDS,
                              check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def scrape_for(port: int, encoding: str, seconds: float, interval_seconds: float = 0) -> dict:
    """Scrapes over one connection, as fast as the replies come or in an interval."""
    times = [str(round(each * 1000)) for each in (seconds, interval_seconds)]
    done = subprocess.run([*launcher(), BENCH, "scrape", str(port), encoding, *times],
                          stdout=subprocess.PIPE, timeout=seconds + COMMAND_SECONDS, check=False)
    if done.returncode != 0:
        raise Failed(f"scraping port {port} failed")
    return json.loads(done.stdout)
