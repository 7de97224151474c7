"""One daemon under load, and what it may not do."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from support import client
from support.daemon import Daemon, launcher
from support.exposition import Exposition, Series

CHURN = Path(__file__).resolve().parent / "churn.py"
CHURNERS = 2
SCRAPERS = 2
MIB = 1 << 20

# In turn. The bad ones change nothing.
CONFIGURATIONS = (
    "interval: 10ms\ncollectors: { sock_diag: { cpu_budget_ratio: 1, top: 5 } }\n",
    "interval: fast\n",
    "interval: 10ms\ncollectors:\n  sock_diag: { cpu_budget_ratio: 1 }\n"
    "  netstat: { extra_fields: [TCPTimeouts] }\n  sysctl: { extra: [net.ipv4.tcp_sack] }\n",
    "collectors: { sock_diag: { top: -1 }, nonsense: {} }\n",
    "interval: 10ms\ncollectors: { sock_diag: { cpu_budget_ratio: 1 }, sockstat: { enabled: false } }\n",
)
FIRST = "interval: 10ms\ncollectors: { sock_diag: { cpu_budget_ratio: 1 } }\n"
MOST_POLLS_PER_RELOAD = 50

# Sanitizers never give back all that they have taken.
GROWTH_BYTES = {"": 4 * MIB, "asan": 64 * MIB, "tsan": 64 * MIB}
_SANITIZER = re.compile("Sanitizer|runtime error:")


class SoakFailure(Exception):
    """What was wrong."""


def prepare_namespace() -> None:
    """Enough ports for thousands of connections a second, and no more TIME-WAIT than a poll of ten
    milliseconds can look at."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, value in (("ip_local_port_range", "1024 65535"), ("tcp_tw_reuse", "1"),
                        ("tcp_max_tw_buckets", "4000")):
        Path("/proc/sys/net/ipv4", name).write_text(value)


class Counters:
    """The value of each counter at the last scrape. One that was absent there may begin anew: what a
    reload has switched off and on again does."""

    def __init__(self) -> None:
        self._values: dict[Series, float] = {}

    def see(self, exposition: Exposition) -> None:
        values = {series: value for series, value in exposition.samples.items()
                  if exposition.types.get(series[0]) == "counter"}
        for series, value in values.items():
            if value < self._values.get(series, 0):
                raise SoakFailure(
                    f"{series[0]} {dict(series[1])} fell from {self._values[series]} to {value}")
        self._values = values

    def __len__(self) -> int:
        return len(self._values)


class Soak:
    def __init__(self, program: str, polls: int, seconds: float) -> None:
        self._polls = polls
        self._deadline = time.monotonic() + seconds
        self._directory = tempfile.TemporaryDirectory(prefix="timewait-soak-")
        self._config = Path(self._directory.name) / "config.yaml"
        self._config.write_text(FIRST)
        kind = next((name for name in ("asan", "tsan") if name in Path(program).parts), "")
        self._growth = GROWTH_BYTES[kind]
        environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=4:detect_leaks=1",
                       "UBSAN_OPTIONS": "print_stacktrace=1"}
        self._daemon = Daemon.on_loopback(
            f"--config.file={self._config}", command=[program], env=environment)
        self._counters = Counters()
        self._stop = threading.Event()
        self._scrapes = 0
        self._connections = [0] * CHURNERS
        self._reloads = 0
        self._failure: Exception | None = None

    def run(self) -> str:
        """A line about what has been done. Raises SoakFailure."""
        try:
            self._failing = self._failing_collectors(self._daemon.scrape())
            at_rest = self._descriptors_at_rest()
            with self._directory:
                churners = [self._start_churner(number) for number in range(CHURNERS)]
                try:
                    resident = self._load()
                finally:
                    for churner in churners:
                        churner.kill()
                        churner.wait()
            return self._end(at_rest, resident)
        except AssertionError as failure:
            raise SoakFailure(str(failure)) from failure
        finally:
            self._daemon.kill()

    def _descriptors_at_rest(self) -> int:
        """Once it serves, and the scrape before has closed its connection."""
        while True:
            before = self._daemon.open_descriptors()
            time.sleep(0.1)
            if self._daemon.open_descriptors() == before:
                return before

    def _start_churner(self, number: int) -> subprocess.Popen:
        churner = subprocess.Popen(
            [*launcher(), sys.executable, "-B", CHURN, f"127.0.0.{2 + number}", "8080"],
            stdout=subprocess.PIPE, text=True)

        def count() -> None:
            for line in churner.stdout:
                self._connections[number] = int(line)

        threading.Thread(target=count, daemon=True).start()
        return churner

    def _load(self) -> tuple[int, int]:
        """Until there have been enough polls. Resident bytes after a fifth of them, and at the end."""
        scrapers = [threading.Thread(target=self._scrape_all_along) for _ in range(SCRAPERS)]
        for scraper in scrapers:
            scraper.start()
        try:
            self._reload_until(self._polls / 5)
            warm = self._daemon.resident_bytes()
            self._reload_until(self._polls)
            return warm, self._daemon.resident_bytes()
        finally:
            self._stop.set()
            for scraper in scrapers:
                scraper.join()

    def _scrape_all_along(self) -> None:
        connection = client.connect(self._daemon.address)
        try:
            while not self._stop.is_set():
                reply = client.exchange(connection, "GET", "/metrics", {"Accept-Encoding": "gzip"})
                if reply.status != 200:
                    raise SoakFailure(f"a scrape got {reply.status}")
                self._scrapes += 1
                time.sleep(0.005)
        except Exception as error:
            self._failure = error
        finally:
            connection.close()

    def _reload_until(self, polls: float) -> None:
        """Looks at each scrape, and reloads now and then."""
        next_reload = 0.0
        while True:
            exposition = self._daemon.scrape()
            self._counters.see(exposition)
            self._check(exposition)
            done = exposition.value("timewait_exporter_polls_total") or 0
            if done >= polls:
                return
            if done >= next_reload:
                next_reload = done + min(MOST_POLLS_PER_RELOAD, self._polls / 10)
                self._reload()
            if time.monotonic() > self._deadline:
                raise SoakFailure(f"only {done:.0f} polls in the time that it had")

    def _reload(self) -> None:
        configuration = CONFIGURATIONS[self._reloads % len(CONFIGURATIONS)]
        self._reloads += 1
        self._config.write_text(configuration)
        os.kill(self._daemon.pid, signal.SIGHUP)
        good = self._reloads - self._bad_reloads()
        self._daemon.wait_for_log(good, msg="configuration reloaded")
        wanted = 1 - configuration.startswith(("interval: fast", "collectors: { sock_diag: { top: -1"))
        name = "timewait_exporter_config_last_reload_successful"
        while self._daemon.scrape().value(name) != wanted:
            if time.monotonic() > self._deadline:
                raise SoakFailure(f"{name} is not {wanted} after {configuration!r}")

    def _bad_reloads(self) -> int:
        whole, rest = divmod(self._reloads, len(CONFIGURATIONS))
        return 2 * whole + (rest >= 2) + (rest >= 4)

    @staticmethod
    def _failing_collectors(exposition: Exposition) -> set[str]:
        """For lack of a privilege."""
        success = exposition.all_of("timewait_exporter_collector_success").items()
        return {dict(labels)["collector"] for labels, value in success if value == 0}

    def _check(self, exposition: Exposition) -> None:
        if self._failure is not None:
            raise SoakFailure(f"a scraper failed: {self._failure!r}")
        errors = exposition.all_of("timewait_exporter_collector_errors_total").items()
        for labels, count in errors:
            label = dict(labels)
            # A table that changes all the time may interrupt a dump twice in a row.
            if count and label["collector"] not in self._failing and label["reason"] != "interrupted":
                raise SoakFailure(f"{label['collector']} failed: {self._daemon.log(level='warn')}")

    def _end(self, at_rest: int, resident: tuple[int, int]) -> str:
        warm, last = resident
        deadline = time.monotonic() + 10
        while self._daemon.open_descriptors() > at_rest:
            if time.monotonic() > deadline:
                raise SoakFailure(f"{self._daemon.open_descriptors()} descriptors are open, "
                                  f"{at_rest} before")
            time.sleep(0.05)
        if last > warm + self._growth:
            raise SoakFailure(f"{warm / MIB:.1f} MiB grew to {last / MIB:.1f} MiB")
        polls = self._daemon.scrape().value("timewait_exporter_polls_total") or 0
        self._daemon.stop()  # checks the status
        reports = [line for line in self._daemon.raw_log if _SANITIZER.search(line)]
        if reports:
            raise SoakFailure("\n".join(reports))
        return (f"{polls:.0f} polls, {self._scrapes} scrapes, {sum(self._connections)} connections, "
                f"{self._reloads} reloads of which {self._bad_reloads()} bad, "
                f"{len(self._counters)} counters that never fell, {at_rest} descriptors, "
                f"{warm / MIB:.1f} MiB became {last / MIB:.1f} MiB")
