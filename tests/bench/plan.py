"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    sockets: tuple[int, ...] = (100_000, 600_000, 1_000_000)  # ascending
    tuples: int = 64
    repetitions: int = 5
    few_sockets: int = 2_000
    warm_up_polls: int = 100
    polls: int = 1_000
    scrapes: int = 1_000
    scrape_seconds: float = 2.0
    connect_rounds: int = 100
    connects: int = 1_000  # in each round, without and with the event
    budget: float = 0.02
    budget_seconds: float = 60.0

    @property
    def smallest(self) -> int:
        return self.sockets[0]

    @property
    def middle(self) -> int:
        return self.sockets[len(self.sockets) // 2]

    @property
    def largest(self) -> int:
        return self.sockets[-1]


# Enough to see that everything works; its figures say nothing.
SMALL = Plan(
    sockets=(500, 1_000, 2_000),
    repetitions=1,
    few_sockets=400,
    warm_up_polls=5,
    polls=20,
    scrapes=20,
    scrape_seconds=0.1,
    connect_rounds=4,
    connects=50,
    budget_seconds=0.5,
)
