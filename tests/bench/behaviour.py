"""What the running program takes and gives."""

import contextlib
import statistics
import time
from dataclasses import dataclass

from exporters import (
    NODE_EXPORTER_PORT,
    NodeExporter,
    accepts,
    config_of,
    config_without_budget,
    running_daemon,
)
from parts import Failed, Population, Sockets, cpu_seconds, peak_resident_bytes, resident_bytes, scrape_for
from support import client
from support.daemon import Daemon
from support.sockets import TIME_WAIT, sockets_of_port

PATIENCE_SECONDS = 120.0
STEADY_SECONDS = 40
# Scrapes without a pause would fight with the dump for the processor.
SCRAPE_INTERVAL_SECONDS = 0.002
# FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, LAST-ACK and CLOSING in /proc/net/tcp.
CLOSING_STATES = ("04", "05", "08", "09", "0B")


def polls_of(daemon: Daemon) -> int:
    return int(daemon.scrape().value("timewait_exporter_polls_total"))


def of_sock_diag(daemon: Daemon, name: str) -> float:
    return daemon.scrape().value(f"timewait_exporter_collector_{name}", collector="sock_diag")


def wait_for_polls(daemon: Daemon, count: int) -> None:
    """Returns after so many further rounds of polling."""
    target = polls_of(daemon) + count
    deadline = time.monotonic() + PATIENCE_SECONDS
    while polls_of(daemon) < target:
        if time.monotonic() > deadline:
            raise Failed(f"the daemon does not poll {count} times in {PATIENCE_SECONDS:g} s")
        time.sleep(0.1)


def measure_resident(sockets: Sockets, population: Population) -> dict:
    """The daemon's most resident memory in its first polls of these sockets."""
    sockets.hold(population, STEADY_SECONDS)
    with running_daemon(config_without_budget("1s")) as daemon:
        wait_for_polls(daemon, 3)
        return {"peak": peak_resident_bytes(daemon.pid), "now": resident_bytes(daemon.pid)}


def measure_growth(sockets: Sockets, population: Population, warm_up: int, polls: int) -> dict:
    """The daemon's resident memory after its first polls and after many more."""
    with running_daemon(config_without_budget("10ms")) as daemon:
        sockets.hold(population, STEADY_SECONDS)
        wait_for_polls(daemon, warm_up)
        before = resident_bytes(daemon.pid)
        wait_for_polls(daemon, polls)
        return {"polls": polls, "before": before, "after": resident_bytes(daemon.pid)}


def count_time_wait(port: int) -> int:
    """The TIME-WAIT sockets of a port, once no close of a connection is under way."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(sockets_of_port(port, state) for state in CLOSING_STATES):
        if time.monotonic() > deadline:
            raise Failed(f"a connection of port {port} is never closed")
        time.sleep(0.01)
    return len(sockets_of_port(port, TIME_WAIT))


def measure_keep_alive(scrapes: int) -> dict:
    """The TIME-WAIT sockets of the daemon's port that many scrapes over one connection leave, and that
    one scrape leaves which asks for the connection to be closed."""
    with running_daemon(config_of("1h")) as daemon:
        before = count_time_wait(daemon.port)
        with contextlib.closing(client.connect(daemon.address)) as connection:
            for _ in range(scrapes):
                client.exchange(connection, "GET", "/metrics")
            kept_alive = count_time_wait(daemon.port)
            daemon.get("/metrics", Connection="close")
            closed = count_time_wait(daemon.port)
    return {"scrapes": scrapes, "kept_alive": kept_alive - before, "closed": closed - kept_alive}


def measure_latency(sockets: Sockets, population: Population, seconds: float, repetitions: int) -> dict:
    """The p99 of scrapes by a daemon that rests and by one that does nothing but dump, and the share of
    the time in which it does."""
    configs = {
        "rest": config_of("1h"),
        "dump": config_without_budget("1h", interval="10ms"),
    }
    p50 = {name: [] for name in configs}
    p99 = {name: [] for name in configs}
    busy = []
    for _ in range(repetitions):
        for name, config in configs.items():
            sockets.hold(population, STEADY_SECONDS)
            with running_daemon(config) as daemon:
                begin, cpu = time.monotonic(), of_sock_diag(daemon, "cpu_seconds_total")
                scrapes = scrape_for(daemon.port, "identity", seconds, SCRAPE_INTERVAL_SECONDS)
                cpu = of_sock_diag(daemon, "cpu_seconds_total") - cpu
                p50[name].append(scrapes["p50_microseconds"])
                p99[name].append(scrapes["p99_microseconds"])
                if name == "dump":
                    busy.append(cpu / (time.monotonic() - begin))
    return {
        "p50": {name: statistics.median(values) for name, values in p50.items()},
        "p99": {name: statistics.median(values) for name, values in p99.items()},
        "busy": statistics.median(busy),
    }


def measure_rates(seconds: float, repetitions: int) -> dict:
    """Scrapes a second over one connection, of the program and of node_exporter's sockstat."""
    rates = {}

    def measure(name: str, port: int) -> None:
        for encoding in ("identity", "gzip"):
            runs = [scrape_for(port, encoding, seconds) for _ in range(repetitions)]
            rate = statistics.median(run["count"] / run["seconds"] for run in runs)
            rates.setdefault(encoding, {})[name] = rate

    with running_daemon(config_of("1h")) as daemon:
        measure("program", daemon.port)
    if NodeExporter.PROGRAM is not None:
        with contextlib.closing(NodeExporter("sockstat")):
            measure("node_exporter", NODE_EXPORTER_PORT)
    return rates


@dataclass(frozen=True)
class Moment:
    """The end of a poll, and the CPU seconds that all of the daemon and sock_diag alone had taken then."""

    time: float
    daemon: float
    collector: float


def measure_budget(sockets: Sockets, population: Population, ratio: float, seconds: float) -> dict | None:
    """The share of a core that the daemon and sock_diag alone take, from the end of a poll to the end of a
    later one; none where the program has no such budget."""
    config = config_of("15s", interval="1s", cpu_budget_ratio=ratio)
    if not accepts(config):
        return None
    with running_daemon(config) as daemon:
        begin = end = end_of_next_poll(daemon, sockets, population)
        while end.time - begin.time < seconds:
            end = end_of_next_poll(daemon, sockets, population)
        duration = end.time - begin.time
        return {
            "budget": ratio,
            "share": (end.daemon - begin.daemon) / duration,
            "collector_share": (end.collector - begin.collector) / duration,
            "interval": of_sock_diag(daemon, "interval_seconds"),
        }


def end_of_next_poll(daemon: Daemon, sockets: Sockets, population: Population) -> Moment:
    deadline = time.monotonic() + PATIENCE_SECONDS
    before = of_sock_diag(daemon, "cpu_seconds_total")
    while True:
        sockets.hold(population, 15)
        if (now := of_sock_diag(daemon, "cpu_seconds_total")) != before:
            return Moment(time.monotonic(), cpu_seconds(daemon.pid), now)
        if time.monotonic() > deadline:
            raise Failed("the daemon polls sock_diag no more")
        time.sleep(0.5)
