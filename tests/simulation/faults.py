"""What can go wrong between the delivery machine and a store, as a schedule drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

LASTING = {
    # kind: (probability that it hits a request while it lasts, longest duration in seconds)
    "connection refused": (1.0, 12.0),
    "request lost": (0.6, 6.0),
    "answer lost after commit": (0.7, 6.0),
    "answer late": (0.4, 6.0),
    "commit late": (0.4, 6.0),
    "slow": (1.0, 10.0),
    "html": (0.7, 5.0),
    "truncated": (0.6, 5.0),
    "gzipped": (0.6, 5.0),
    "wrong length": (0.6, 5.0),
    "foreign answer": (0.5, 5.0),
    "empty": (0.5, 5.0),
    "429": (0.8, 10.0),
    "429 with retry-after": (0.7, 6.0),
    "503": (1.0, 12.0),
    "502 after commit": (0.6, 6.0),
    "400 for everything": (1.0, 6.0),
    "413 above a few": (1.0, 8.0),
    "item 429": (0.7, 8.0),
    "item 503": (0.7, 8.0),
    "a shard answers 500": (1.0, 12.0),
    "block": (1.0, 10.0),
    "failure store": (0.5, 5.0),
    "checkpoint refused": (1.0, 5.0),
    "dead letters refused": (1.0, 5.0),
    "look-up 503": (0.6, 6.0),
}
INSTANT = ("rollover", "shipper killed")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: from when, how long, and how likely it hits a request meanwhile."""

    kind: str
    start_seconds: float
    seconds: float
    share: float

    def __str__(self) -> str:
        span = f"{self.start_seconds:.2f}..{self.start_seconds + self.seconds:.2f} s"
        return f"{span}  {self.kind}" + (f" (hits {self.share:.0%})" if self.seconds else "")


def draw_schedule(rng: random.Random, faults: int, within_seconds: float) -> tuple[Fault, ...]:
    """Draw a schedule.

    Args:
        rng: Where it comes from.
        faults: How many.
        within_seconds: They begin before this.
    """
    drawn: list[Fault] = []
    for _ in range(faults):
        start_seconds = rng.uniform(0.0, within_seconds)
        if rng.random() < 0.35:
            drawn.append(Fault(rng.choice(INSTANT), start_seconds, 0.0, 1.0))
            continue
        kind = rng.choice(tuple(LASTING))
        share, longest_seconds = LASTING[kind]
        seconds = rng.uniform(0.2, longest_seconds)
        drawn.append(Fault(kind, start_seconds, seconds, share * rng.uniform(0.5, 1.0) if share < 1 else 1.0))
    return tuple(sorted(drawn, key=lambda fault: fault.start_seconds))
