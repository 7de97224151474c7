"""What each way to learn of the same sockets costs."""

import contextlib
import statistics

from exporters import NodeExporter
from parts import Failed, Meter, Population, Sockets, cpu_seconds_of_command, find_tool, peak_resident_bytes

WALK = "bare netlink walk"
WALK_BOUND = "bare walk with BOUND_INACTIVE"
POLL = "sock_diag poll"
POLL_FULL = "sock_diag poll, full look"
SS = "`ss -tan`"
SS_SUMMARY = "`ss -s`"
NODE_EXPORTER = "node_exporter tcpstat scrape"
NODE_EXPORTER_FIRST = "node_exporter tcpstat, first scrape"
PROC = "`cat /proc/net/tcp`"
WAYS = (WALK, WALK_BOUND, POLL, POLL_FULL, SS, SS_SUMMARY, NODE_EXPORTER, NODE_EXPORTER_FIRST, PROC)

# What all the ways together take at most at a million sockets.
ROUND_SECONDS = 40


def measure_ways(sockets: Sockets, population: Population, repetitions: int) -> dict:
    """The median CPU seconds of each way, none where it is not installed, on the same sockets."""
    with contextlib.ExitStack() as parts:
        meter = parts.enter_context(contextlib.closing(Meter()))
        measures = {
            WALK: lambda: meter.cpu_seconds_of("walk"),
            WALK_BOUND: lambda: meter.cpu_seconds_of("walk_bound_inactive"),
            POLL: lambda: meter.cpu_seconds_of("poll"),
            PROC: lambda: cpu_seconds_of_command(["cat", "/proc/net/tcp"]),
        }
        resident = {POLL: meter.pid}
        if find_tool("ss") is not None:
            measures[SS] = lambda: cpu_seconds_of_command(["ss", "-tan"])
            measures[SS_SUMMARY] = lambda: cpu_seconds_of_command(["ss", "-s"])
        if NodeExporter.PROGRAM is not None:
            exporter = parts.enter_context(contextlib.closing(NodeExporter("tcpstat")))
            measures[NODE_EXPORTER] = exporter.cpu_seconds_of_scrape
            resident[NODE_EXPORTER] = exporter.pid
        rounds = []
        for _ in range(repetitions + 1):
            count = sockets.hold(population, ROUND_SECONDS)
            rounds.append({way: measure() for way, measure in measures.items()})
            check_counts(meter.counts, count)
        warm_up, *measured = rounds
        seconds = {way: statistics.median(each[way] for each in measured) for way in measures}
        # The first poll of a large table is a full look, as one in two minutes is.
        seconds[POLL_FULL] = warm_up[POLL]
        if NODE_EXPORTER in measures:
            seconds[NODE_EXPORTER_FIRST] = warm_up[NODE_EXPORTER]
        return {
            "sockets": count,
            "tuples": population.tuples,
            "seconds": seconds,
            "resident": {way: peak_resident_bytes(pid) for way, pid in resident.items()},
        }


def check_counts(found: dict[str, int], expected: int) -> None:
    """Both see all sockets and no others, within the few that the benchmark itself leaves behind."""
    for way, count in found.items():
        if abs(count - expected) > 10 + expected // 1000:
            raise Failed(f"the {way} found {count} TIME-WAIT sockets of {expected}")
