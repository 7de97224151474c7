"""Everything that is measured in one network namespace. Run by benchmark.py inside of it."""

import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "e2e"))

import behaviour
import profile_poll
from parts import Failed, Population, Sockets, measure_connect_cost
from plan import Plan
from ways import measure_ways

STARTED = time.monotonic()


def say(what: str) -> None:
    print(f"[{time.monotonic() - STARTED:4.0f} s] {what}", file=sys.stderr, flush=True)


def measure_connects(plan: Plan, _: Sockets) -> dict:
    """What counting failed connects adds to those that succeed. Leaves TIME-WAIT sockets behind."""
    say("connects with and without the event")
    return {"connects": measure_connect_cost(plan.connect_rounds, plan.connects)}


def measure_growing(plan: Plan, sockets: Sockets) -> dict:
    """Ever more sockets of the same tuples."""
    few = Population(plan.few_sockets, plan.tuples)
    say("resident memory over many polls")
    results = {"growth": behaviour.measure_growth(sockets, few, plan.warm_up_polls, plan.polls)}
    say("keep-alive")
    results["keep_alive"] = behaviour.measure_keep_alive(plan.scrapes)
    say("scrapes a second")
    results["rates"] = behaviour.measure_rates(plan.scrape_seconds / 2, plan.repetitions)
    results["ways"] = []
    for count in plan.sockets:
        population = Population(count, plan.tuples)
        say(f"{count} sockets of {plan.tuples} tuples")
        results["ways"].append(measure_ways(sockets, population, plan.repetitions))
        if count == plan.middle:
            say("scrapes while a dump runs")
            results["latency"] = behaviour.measure_latency(
                sockets, population, plan.scrape_seconds, plan.repetitions)
            say("CPU budget")
            results["budget"] = behaviour.measure_budget(
                sockets, population, plan.budget, plan.budget_seconds)
    return results


def measure_spread(plan: Plan, sockets: Sockets) -> dict:
    """As many sockets as there were at last, two to a tuple."""
    population = Population(plan.largest, plan.largest // 2)
    say(f"{population.sockets} sockets of {population.tuples} tuples")
    return {
        "ways": [measure_ways(sockets, population, plan.repetitions)],
        "resident": behaviour.measure_resident(sockets, population),
    }


def measure_profile(plan: Plan, sockets: Sockets) -> dict:
    """Where a poll spends its time."""
    population = Population(plan.middle, plan.tuples)
    say(f"profile at {population.sockets} sockets of {population.tuples} tuples")
    return {"profile": profile_poll.measure_profile(sockets, population)}


SESSIONS: dict[str, Callable[[Plan, Sockets], dict]] = {
    "growing": measure_growing,
    "spread": measure_spread,
    "profile": measure_profile,
    "connects": measure_connects,
}


def main() -> None:
    # So that what was started ends too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    name, plan = sys.argv[1], Plan(**json.loads(sys.argv[2]))
    with contextlib.closing(Sockets()) as sockets:
        print(json.dumps(SESSIONS[name](plan, sockets)))


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"the benchmark failed: {failure}")
