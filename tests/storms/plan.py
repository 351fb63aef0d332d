"""What happens in one storm, by its seed; times are seconds since its beginning."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.storms.receivers import MODES, Mode

THRESHOLD = 5
WINDOW_SECONDS = 2.0
COOLDOWN_SECONDS = 6.0
SERVICES = ("cart", "pay", "ship")
CHANNELS = ("hook", "mail")
BETWEEN_SECONDS = 2 * WINDOW_SECONDS + 1.0
"""Bursts of one service are so far apart at least: each is an alert of its own."""
LONG_SECONDS = 20.0
SHORT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Errors of one service.

    Attributes:
        start_seconds: When they begin; later where the one before was late.
        count: How many.
        lasting_seconds: How long they take.
    """

    start_seconds: float
    count: int
    lasting_seconds: float


@dataclass(frozen=True, slots=True)
class Death:
    """The end of the process that watches.

    Attributes:
        at_seconds: When.
        away_seconds: How long until it is started again.
        is_kill: Whether by SIGKILL; else by SIGTERM.
    """

    at_seconds: float
    away_seconds: float
    is_kill: bool


@dataclass(frozen=True, slots=True)
class Unwell:
    """A receiver's trouble."""

    start_seconds: float
    lasting_seconds: float
    mode: Mode


@dataclass(frozen=True, slots=True)
class Plan:
    """One storm.

    Attributes:
        seed: Its number.
        bursts: By service.
        deaths: Of the process that watches, in order.
        unwell: Troubles by channel, in order.
        has_standby: Whether a second process stands by.
    """

    seed: int
    bursts: dict[str, tuple[Burst, ...]]
    deaths: tuple[Death, ...]
    unwell: dict[str, tuple[Unwell, ...]]
    has_standby: bool


def plan_of(seed: int, active_seconds: float = LONG_SECONDS) -> Plan:
    """Return a seed's storm.

    Args:
        seed: Which.
        active_seconds: For how long something new happens.
    """
    rng = random.Random(seed)
    return Plan(
        seed=seed,
        bursts={service: tuple(_bursts(rng, active_seconds)) for service in SERVICES},
        deaths=tuple(_deaths(rng, active_seconds)),
        unwell={channel: tuple(_unwell(rng, active_seconds)) for channel in CHANNELS},
        has_standby=rng.random() < 0.2,
    )


def _bursts(rng: random.Random, active_seconds: float) -> Iterator[Burst]:
    second = rng.uniform(0.0, active_seconds / 2)
    while second < active_seconds:
        enough = rng.random() < 0.75
        count = rng.choice((THRESHOLD, THRESHOLD + 2, 20, 200)) if enough else rng.randint(1, THRESHOLD - 1)
        lasting = rng.choice((0.0, 0.3, 1.0))
        yield Burst(second, count, lasting)
        second += lasting + BETWEEN_SECONDS + rng.expovariate(1 / 3)


def _deaths(rng: random.Random, active_seconds: float) -> Iterator[Death]:
    second = rng.uniform(0.0, active_seconds)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        away = rng.choice((0.0, 0.2, 2.0))
        yield Death(second, away, rng.random() < 0.8)
        second += away + rng.uniform(1.0, active_seconds / 2)


def _unwell(rng: random.Random, active_seconds: float) -> Iterator[Unwell]:
    second = rng.uniform(0.0, active_seconds / 2)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        lasting = rng.uniform(0.3, min(4.0, active_seconds / 2))
        yield Unwell(second, lasting, "parks" if rng.random() < 0.05 else rng.choice(MODES))
        second += lasting + rng.uniform(0.5, active_seconds / 2)
