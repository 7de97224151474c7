"""The benchmark: what the program costs beside other ways to look at the same TIME-WAIT sockets, and
whether that is what it is to cost. tests/bench/run starts it.

Needs TIMEWAIT_PROGRAM and TIMEWAIT_BENCH, the programs that it is about and made of.
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "e2e"))

import tables
from exporters import NodeExporter
from parts import BENCH, find_tool
from plan import SMALL, Plan
from support.daemon import PROGRAM

SESSION_SECONDS = 1800
NO_NAMESPACE = 77  # exit status of timewait_bench enter
SESSION = Path(__file__).with_name("session.py")


def first_line_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout or done.stderr).partition("\n")[0]


def describe_machine() -> str:
    model = next((line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    lines = [
        f"Linux {platform.release()}, {os.cpu_count()} × {model}, load average {os.getloadavg()[0]:.1f}",
        first_line_of(PROGRAM, "--version"),
        first_line_of("ss", "-V") if find_tool("ss") else "ss not installed",
        first_line_of(NodeExporter.PROGRAM, "--version") if NodeExporter.PROGRAM
        else "node_exporter not installed",
    ]
    return "".join(f"- {line}\n" for line in lines)


def run_session(name: str, plan: Plan) -> dict:
    """Measures in a network namespace that ends with it."""
    command = [BENCH, "enter", sys.executable, "-B", str(SESSION), name,
               json.dumps(dataclasses.asdict(plan))]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=SESSION_SECONDS, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def parse_counts(text: str) -> tuple[int, ...]:
    counts = tuple(sorted({int(word.replace("_", "")) for word in text.split(",")}))
    if counts[0] < 100 or counts[-1] > 2_000_000:
        raise argparse.ArgumentTypeError("from 100 to 2,000,000 sockets")
    return counts


def parse_plan() -> tuple[Plan, str | None]:
    """How much is to be measured, and the one session if it is not all of them."""
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--sockets", type=parse_counts, metavar="N,...",
                        help="numbers of sockets; the targets are judged at the middle one")
    parser.add_argument("--small", action="store_true",
                        help="a few sockets: shows that everything works, and says nothing about speed")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--profile", action="store_const", const="profile", dest="only",
                      help="where a poll of the middle number spends its time, by perf, and nothing else")
    only.add_argument("--connects", action="store_const", const="connects", dest="only",
                      help="what counting failed connects adds to those that succeed, and nothing else")
    arguments = parser.parse_args()
    plan = SMALL if arguments.small else Plan()
    if arguments.sockets:
        plan = dataclasses.replace(plan, sockets=arguments.sockets)
    return plan, arguments.only


def main() -> None:
    plan, only = parse_plan()
    print(describe_machine())
    if only == "profile":
        print(tables.render_profile(plan, run_session("profile", plan)["profile"]))
        return
    if only == "connects":
        print(tables.render_connects(run_session("connects", plan)["connects"]))
        return
    growing, spread = run_session("growing", plan), run_session("spread", plan)
    print(tables.render_ways([*growing["ways"], *spread["ways"]]))
    print(tables.render_targets(plan, growing, spread))
    print(tables.render_connects(run_session("connects", plan)["connects"]))


if __name__ == "__main__":
    main()
