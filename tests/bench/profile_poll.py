"""Where the time of a poll goes, by perf."""

import subprocess
import tempfile
from pathlib import Path

from parts import BENCH, COMMAND_SECONDS, Failed, Population, Sockets, find_tool
from support.daemon import launcher

POLLS = 20
FUNCTIONS = 12
KERNEL = "[kernel.kallsyms]"


def run_perf(*arguments: str) -> str:
    command = [*launcher(), "perf", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode != 0:
        raise Failed(f"perf {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def read_shares(recording: str, *keys: str) -> list[list]:
    """[share, key...] of each line of the report, the largest first."""
    report = run_perf("report", "-i", recording, "--stdio", "--no-children", "-g", "none", "-t", "|",
                      "-F", ",".join(["overhead", *keys]), "--sort", ",".join(keys))
    lines = [line.split("|") for line in report.splitlines() if line.strip() and not line.startswith("#")]
    shares = [[float(words[0].strip(" %")) / 100, *map(str.strip, words[1:len(keys) + 1])] for words in lines]
    return sorted(shares, reverse=True)


def measure_profile(sockets: Sockets, population: Population) -> dict:
    """Shares by program or library, and the functions that take most, outside the kernel and in it."""
    if find_tool("perf") is None:
        raise Failed("perf is not installed")
    with tempfile.TemporaryDirectory() as directory:
        recording = str(Path(directory) / "perf.data")
        sockets.hold(population, 45)
        run_perf("record", "-q", "-F", "1999", "-g", "-o", recording, "--", BENCH, "poll", str(POLLS))
        functions = read_shares(recording, "dso", "symbol")
        return {
            "polls": POLLS,
            "objects": read_shares(recording, "dso"),
            "own": [row for row in functions if row[1] != KERNEL][:FUNCTIONS],
            "kernel": [row for row in functions if row[1] == KERNEL][:FUNCTIONS],
        }
