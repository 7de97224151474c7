"""What each way to learn of the same sockets costs."""

import contextlib
import statistics

from exporters import NodeExporter
from parts import Failed, Meter, Population, Sockets, cpu_seconds_of_command, find_tool, peak_resident_bytes

WALK = "bare netlink walk"
POLL = "sock_diag poll"
SS = "`ss -tan`"
SS_SUMMARY = "`ss -s`"
NODE_EXPORTER = "node_exporter tcpstat scrape"
PROC = "`cat /proc/net/tcp`"
WAYS = (WALK, POLL, SS, SS_SUMMARY, NODE_EXPORTER, PROC)

# What all the ways together take at most at a million sockets.
ROUND_SECONDS = 40


def not_installed(way: str) -> bool:
    if way == NODE_EXPORTER:
        return NodeExporter.PROGRAM is None
    return way in (SS, SS_SUMMARY) and find_tool("ss") is None


def measure_ways(sockets: Sockets, population: Population, repetitions: int) -> dict:
    """The median CPU seconds of each way, none where it is not installed, on the same sockets."""
    with contextlib.ExitStack() as parts:
        meter = parts.enter_context(contextlib.closing(Meter()))
        measures = {
            WALK: lambda: meter.cpu_seconds_of("walk"),
            POLL: lambda: meter.cpu_seconds_of("poll"),
            SS: lambda: cpu_seconds_of_command(["ss", "-tan"]),
            SS_SUMMARY: lambda: cpu_seconds_of_command(["ss", "-s"]),
            PROC: lambda: cpu_seconds_of_command(["cat", "/proc/net/tcp"]),
        }
        resident = {POLL: meter.pid}
        if not not_installed(NODE_EXPORTER):
            exporter = parts.enter_context(contextlib.closing(NodeExporter("tcpstat")))
            measures[NODE_EXPORTER] = exporter.cpu_seconds_of_scrape
            resident[NODE_EXPORTER] = exporter.pid
        installed = [way for way in WAYS if not not_installed(way)]
        seconds = {way: [] for way in installed}
        for round_number in range(repetitions + 1):
            count = sockets.hold(population, ROUND_SECONDS)
            for way in installed:
                cost = measures[way]()
                if round_number > 0:  # the first one warms up
                    seconds[way].append(cost)
            check_counts(meter.counts, count)
        return {
            "sockets": count,
            "tuples": population.tuples,
            "seconds": {way: statistics.median(seconds[way]) for way in installed},
            "resident": {way: peak_resident_bytes(pid) for way, pid in resident.items()},
            "counts": meter.counts,
        }


def check_counts(found: dict[str, int], expected: int) -> None:
    """Both see all sockets and no others, within the few that the benchmark itself leaves behind."""
    for way, count in found.items():
        if abs(count - expected) > 10 + expected // 1000:
            raise Failed(f"the {way} found {count} TIME-WAIT sockets of {expected}")
