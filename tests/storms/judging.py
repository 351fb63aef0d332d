"""What receivers got against what was logged: missed, repeated, late and false alerts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.storms.plan import COOLDOWN_SECONDS, SERVICES, THRESHOLD, WINDOW_SECONDS
from tests.storms.receivers import Outage, Took

LATE_SECONDS = 5.0
_MARGIN_SECONDS = 0.1
"""About what slots of a window and clocks of two processes differ by."""
_BACKOFF_SECONDS = 4.0
"""What an attempt that is on its way when an outage ends may take beside."""
_UNDECIDED = (0.9 * WINDOW_SECONDS, 1.1 * WINDOW_SECONDS)


@dataclass(frozen=True, slots=True)
class Logged:
    """A burst as it was logged.

    Attributes:
        service: Whose errors.
        moments: When each was logged, seconds since 1970, in order.
        monotonic_offset_seconds: What turns such a moment into the monotonic clock's.
    """

    service: str
    moments: tuple[float, ...]
    monotonic_offset_seconds: float

    @property
    def crossed_seconds(self) -> float | None:
        """When the threshold was crossed; None where it was not."""
        for first, last in zip(self.moments, self.moments[THRESHOLD - 1 :], strict=False):
            if last - first < WINDOW_SECONDS:
                return last
        return None

    @property
    def is_undecided(self) -> bool:
        """Whether it depends on the edges of slots if there were enough: a machine held up the burst."""
        pairs = list(zip(self.moments, self.moments[THRESHOLD - 1 :], strict=False))
        shortest = min((last - first for first, last in pairs), default=None)
        return shortest is not None and _UNDECIDED[0] < shortest < _UNDECIDED[1]

    def holds(self, since_seconds: float) -> bool:
        """Whether an alert that says when it began means this burst."""
        first, last = self.moments[0], self.moments[-1]
        return first - _MARGIN_SECONDS <= since_seconds <= last + WINDOW_SECONDS + _MARGIN_SECONDS


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one storm left of one channel; moments by the monotonic clock where nothing else is said.

    Attributes:
        logged: All bursts, in order.
        took: What the receiver took, in order.
        bodies: What each message says, by key, as `generic` posts it.
        parked: Keys of messages that the receiver refused for good, and that people can see were refused.
        outages: When the receiver was not well.
        unwatched: When nobody watched, with the time until the process was ready.
        crashes: How often the process was killed.
    """

    logged: Sequence[Logged]
    took: Sequence[Took]
    bodies: Mapping[str, Any]
    parked: frozenset[str] = frozenset()
    outages: Sequence[Outage] = ()
    unwatched: Sequence[tuple[float, float]] = ()
    crashes: int = 0


@dataclass(slots=True)
class Judgement:
    """What is wrong with a channel.

    Attributes:
        alerts: Bursts that crossed the threshold.
        missed: Of these, never told.
        repeated: Told under another key though they were told, within the cooldown, or twice without cause.
        false: Told without a burst.
        late: Told later than 5 s though nothing was in the way.
        unended: Services whose last message says that they fire.
        seconds: From crossing the threshold to the message, where nothing was in the way.
        again: Messages that came again under their key, after a crash or an unknown answer.
        parked: Messages that the receiver refused for good.
    """

    alerts: int = 0
    missed: int = 0
    repeated: int = 0
    false: int = 0
    late: int = 0
    unended: int = 0
    seconds: list[float] = field(default_factory=list)
    again: int = 0
    parked: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether no promise was broken."""
        return not (self.missed or self.repeated or self.false or self.late or self.unended)

    @property
    def waits(self) -> bool:
        """Whether something may still come."""
        return bool(self.missed or self.unended)

    def add(self, other: Judgement) -> None:
        """Add another storm's."""
        for name in ("alerts", "missed", "repeated", "false", "late", "unended", "again", "parked"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seconds += other.seconds


@dataclass(frozen=True, slots=True)
class _Told:
    key: str
    at_seconds: float
    made_seconds: float
    notice: Mapping[str, Any]


def judge(evidence: Evidence) -> Judgement:
    """Return what is wrong with one channel of one storm."""
    found = Judgement(parked=len(evidence.parked))
    _judge_keys(evidence, found)
    first: dict[str, float] = {}
    for took in evidence.took:
        first.setdefault(took.key, took.at_seconds)
    keys = {**dict.fromkeys(evidence.parked, float("inf")), **first}
    told = [
        _Told(key, at_seconds, evidence.bodies[key]["made_seconds"], notice)
        for key, at_seconds in keys.items()
        if key in evidence.bodies
        for notice in evidence.bodies[key]["alerts"]
    ]
    found.false += sum(key not in evidence.bodies for key in keys)
    found.false += sum(each.notice["labels"].get("service.name") not in SERVICES for each in told)
    for service in SERVICES:
        mine = [each for each in told if each.notice["labels"].get("service.name") == service]
        _judge_service(evidence, service, sorted(mine, key=lambda each: each.made_seconds), found)
    return found


def _judge_keys(evidence: Evidence, found: Judgement) -> None:
    """A key may come again only after a crash, or after an answer that the sender did not get."""
    copies = Counter(took.key for took in evidence.took)
    unanswered = Counter(took.key for took in evidence.took if not took.is_answered)
    for key, count in copies.items():
        found.again += count - 1
        found.repeated += max(0, count - 1 - unanswered[key] - evidence.crashes)


def _judge_service(evidence: Evidence, service: str, told: Sequence[_Told], found: Judgement) -> None:
    bursts = [each for each in evidence.logged if each.service == service]
    crossed = [each for each in bursts if each.crossed_seconds is not None]
    undecided = sum(each.is_undecided for each in bursts)
    firing = [each for each in told if each.notice["state"] == "firing"]
    real = [each for each in firing if any(one.holds(each.notice["since_seconds"]) for one in bursts)]
    times = sum(each.notice["times"] for each in real)
    found.alerts += len(crossed)
    found.false += len(firing) - len(real)
    found.missed += max(0, len(crossed) - undecided - times)
    found.repeated += max(0, times - len(crossed) - undecided)
    found.repeated += sum(
        later.made_seconds - earlier.made_seconds < COOLDOWN_SECONDS - _MARGIN_SECONDS
        for earlier, later in pairwise(firing)
    )
    found.unended += bool(told) and told[-1].notice["state"] == "firing"
    for burst in crossed:
        _judge_time(evidence, burst, firing, found)


def _judge_time(evidence: Evidence, burst: Logged, firing: Sequence[_Told], found: Judgement) -> None:
    crossed_seconds = burst.crossed_seconds
    assert crossed_seconds is not None
    at_seconds = crossed_seconds + burst.monotonic_offset_seconds
    earlier = [each.made_seconds for each in firing if each.made_seconds < crossed_seconds]
    is_cooling = bool(earlier) and crossed_seconds - max(earlier) < COOLDOWN_SECONDS + _MARGIN_SECONDS
    messages = [each.at_seconds for each in firing if burst.holds(each.notice["since_seconds"])]
    arrived_seconds = min(messages, default=float("inf"))
    until_seconds = min(arrived_seconds, at_seconds + LATE_SECONDS)
    if is_cooling or burst.is_undecided or _something_is_in_the_way(evidence, at_seconds, until_seconds):
        return
    if arrived_seconds < float("inf"):  # neither missed, which is counted apart, nor parked
        found.seconds.append(arrived_seconds - at_seconds)
        found.late += arrived_seconds - at_seconds > LATE_SECONDS


def _something_is_in_the_way(evidence: Evidence, at_seconds: float, until_seconds: float) -> bool:
    if any(start < until_seconds and at_seconds < end for start, end in evidence.unwatched):
        return True
    # After an outage the next attempt comes after a pause that is about as long as the outage was.
    return any(
        each.start_seconds < until_seconds
        and at_seconds < each.end_seconds + (each.end_seconds - each.start_seconds) + _BACKOFF_SECONDS
        for each in evidence.outages
    )
