"""The results as Markdown."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plan import Plan
from ways import NODE_EXPORTER, NODE_EXPORTER_FIRST, POLL, POLL_FULL, SS, WALK, WAYS

MIB = 1 << 20
NOT_INSTALLED = "not installed"
# In two minutes, which is 8 polls by default, one of a large table is a full look.
MEAN_POLL = "mean poll"
# What a poll may not leave behind: fewer bytes than this are the allocator's.
GROWTH_BYTES = 64 << 10


def render_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ratio(seconds: dict[str, float], way: str, to: str) -> float | None:
    if way not in seconds or to not in seconds or seconds[to] == 0:
        return None
    return seconds[way] / seconds[to]


def or_dash(number: float | None, form: str) -> str:
    return "–" if number is None else format(number, form)


def render_way(measured: dict, way: str) -> list[str]:
    row = [f"{measured['sockets']:,}", f"{measured['tuples']:,}", way]
    seconds = measured["seconds"]
    if way not in seconds:
        return [*row, NOT_INSTALLED, *["–"] * 5]
    resident = measured["resident"].get(way)
    return [
        *row,
        f"{seconds[way] * 1e3:.1f}",
        f"{seconds[way] * 1e9 / measured['sockets']:.0f}",
        *(or_dash(ratio(seconds, way, to), ".2f") for to in (WALK, SS, NODE_EXPORTER)),
        or_dash(None if resident is None else resident / MIB, ".1f"),
    ]


def render_ways(measurements: Iterable[dict]) -> str:
    heading = ["sockets", "tuples", "way", "CPU ms", "ns a socket", "of the walk", "of `ss -tan`",
               "of node_exporter", "peak resident MiB"]
    return render_table(
        heading, [render_way(measured, way) for measured in measurements for way in WAYS])


@dataclass(frozen=True)
class Target:
    """A row of the second table. Without a value `note` says why."""

    number: str
    what: str
    value: float | None
    bound: float
    form: str = ".2f"
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        met = self.value >= self.bound if self.at_least else self.value <= self.bound
        return "met" if met else "missed"

    def row(self) -> list[str]:
        value = self.note if self.value is None else format(self.value, self.form)
        if self.value is not None and self.note:
            value += f" ({self.note})"
        sign = "≥" if self.at_least else "≤"
        return [self.number, self.what, value, f"{sign} {format(self.bound, self.form)}", self.verdict]


def list_cost_targets(plan: Plan, ways: dict[int, dict]) -> list[Target]:
    middle = dict(ways[plan.middle]["seconds"])
    middle[MEAN_POLL] = (7 * middle[POLL] + middle[POLL_FULL]) / 8
    per_socket = {count: ways[count]["seconds"][POLL] / ways[count]["sockets"] for count in ways}
    at = f"at {plan.middle:,} sockets"
    first = ratio(middle, MEAN_POLL, NODE_EXPORTER_FIRST)
    return [
        Target("1", f"CPU of a poll, the mean of 8 / bare walk, {at}", ratio(middle, MEAN_POLL, WALK), 1.25),
        Target("1", f"CPU of a poll, the mean of 8 / `ss -tan`, {at}", ratio(middle, MEAN_POLL, SS), 0.30,
               note="" if SS in middle else f"ss {NOT_INSTALLED}"),
        Target("1", f"CPU of a poll, the mean of 8 / node_exporter tcpstat scrape, {at}",
               ratio(middle, MEAN_POLL, NODE_EXPORTER), 0.30,
               note=f"of its first one {first:.2f}" if first else f"node_exporter {NOT_INSTALLED}"),
        Target("2", f"CPU a socket at {plan.largest:,} / at {plan.smallest:,}",
               per_socket[plan.largest] / per_socket[plan.smallest], 1.3),
    ]


def list_memory_targets(plan: Plan, resident: dict, growth: dict) -> list[Target]:
    return [
        Target("3", f"MiB resident at {plan.largest:,} sockets of {plan.largest // 2:,} tuples, peak",
               resident["peak"] / MIB, 24, ".1f"),
        Target("3", f"KiB grown over {growth['polls']:,} polls",
               (growth["after"] - growth["before"]) / 1024, GROWTH_BYTES / 1024, ".0f"),
    ]


def list_scrape_targets(plan: Plan, latency: dict, rates: dict) -> list[Target]:
    p99 = latency["p99"]
    targets = [
        Target("4", f"p99 of a scrape while {plan.middle:,} sockets are dumped / at rest",
               p99["dump"] / p99["rest"], 2,
               note=f"{p99['dump']:.0f} µs / {p99['rest']:.0f} µs, "
                    f"the dump taking {latency['busy']:.0%} of a core"),
    ]
    for encoding, rate in rates.items():
        other = rate.get("node_exporter")
        targets.append(
            Target("4", f"scrapes a second / node_exporter sockstat, {encoding}",
                   rate["program"] / other if other else None, 1, at_least=True,
                   note=f"{rate['program']:.0f} / {other:.0f}" if other
                   else f"node_exporter {NOT_INSTALLED}"))
    return targets


def budget_target(plan: Plan, budget: dict | None) -> Target:
    what = f"share of a core that the daemon takes with `cpu_budget_ratio` at {plan.middle:,} sockets"
    if budget is None:
        return Target("5", what, None, plan.budget, ".4f", note="key not accepted")
    return Target("5", what, budget["share"], budget["budget"], ".4f",
                  note=f"sock_diag alone {budget['collector_share']:.4f}, "
                       f"every {budget['interval']:.0f} s instead of each")


def keep_alive_target(keep_alive: dict) -> Target:
    return Target("6", f"TIME-WAIT sockets left by {keep_alive['scrapes']:,} scrapes over one connection",
                  keep_alive["kept_alive"], 0, ".0f",
                  note=f"one with Connection: close leaves {keep_alive['closed']}")


def render_targets(plan: Plan, growing: dict, spread: dict) -> str:
    ways = dict(zip(plan.sockets, growing["ways"], strict=True))
    targets = [
        *list_cost_targets(plan, ways),
        *list_memory_targets(plan, spread["resident"], growing["growth"]),
        *list_scrape_targets(plan, growing["latency"], growing["rates"]),
        budget_target(plan, growing["budget"]),
        keep_alive_target(growing["keep_alive"]),
    ]
    return render_table(["target", "what", "value", "bound", "verdict"],
                        [target.row() for target in targets])


def name_function(symbol: str) -> str:
    """Without perf's mark of the kernel and what templates are made of."""
    return re.sub(r"<.*>", "<…>", symbol.partition("] ")[2])


def render_added(what: str, added: dict, times: float, to: float) -> list[str]:
    """A row: what the event adds to a connection, by one way to measure it."""
    quartiles = [added[key] * times for key in ("added", "lower_quartile", "upper_quartile")]
    return [what, *(f"{each:.0f}" for each in quartiles), f"{quartiles[0] / to:.2%}"]


def render_connects(connects: dict | None) -> str:
    """What counting failed connects adds to a connection that succeeds, in nanoseconds of CPU time."""
    if connects is None:
        return "What counting failed connects costs was not measured: tracefs cannot be mounted here.\n"
    connection, firings = connects["connection"]["without"], connects["firings"]
    rows = [
        render_added("connect and close", connects["connection"], 1, connection),
        render_added(f"{firings:.1f} firings", connects["firing"], firings, connection),
    ]
    table = render_table(["measured by", "added ns", "lower quartile", "upper quartile", "of a connection"], rows)
    without, with_event = connects["per_second"]
    lines = [f"- A connect and close without the event: {connection:.0f} ns of CPU time",
             f"- Connections a second, one after the other: {without:.0f} without, {with_event:.0f} with it"]
    if "instructions" in connects:
        without, with_event = connects["instructions"]
        lines.append(f"- Instructions of a connection: {without:.0f} without, {with_event:.0f} with it "
                     f"({with_event / without - 1:+.2%})")
    else:
        lines.append("- Instructions of a connection: this machine does not count them")
    return table + "\n" + "\n".join(lines) + "\n"


def render_profile(plan: Plan, profile: dict) -> str:
    objects = render_table(
        ["share", "where"],
        [[f"{share:.1%}", name] for share, name in profile["objects"] if share >= 0.001])
    functions = render_table(
        ["share", "function", "where"],
        [[f"{share:.1%}", f"`{name_function(symbol)}`", name]
         for share, name, symbol in (*profile["own"], *profile["kernel"]) if share >= 0.001])
    return f"{profile['polls']} polls of {plan.middle:,} sockets:\n\n{objects}\n{functions}"
