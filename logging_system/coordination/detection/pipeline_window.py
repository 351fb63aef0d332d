"""The last minutes of the pipeline, and what grew in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from logging_system.coordination.detection.pipeline_moment import PipelineMoment, ShipperMoment

KEPT_SECONDS = 300.0
BUSY_SECONDS = 10.0
_LATE_SECONDS_MAX = 0.25
"""Where who looks woke later than this, delays and requests that time out say nothing of disk or store."""
MOMENTS_MAX = 600
_LOAD_SECONDS = 15.0
"""So long after a burst what it left is on its way."""
_USUAL_SECONDS = 60.0
_SAME_SECONDS = 0.05
"""Times of one file, read twice by a clock that moves, are no further apart."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What the shipper's counts grew by within a window.

    Attributes:
        seconds: How long the window is.
        requests: Requests.
        unproved: Of these, without an answer that proves anything.
        refused: Of these, refused as a whole.
        retried_items: Documents turned away for now.
        delivered: Documents that the store has.
        conflicts: Of these, those it had already.
        dead_lettered: Documents refused for good.
    """

    seconds: float
    requests: int
    unproved: int
    refused: int
    retried_items: int
    delivered: int
    conflicts: int
    dead_lettered: int


_GROWING = ("requests", "unproved", "refused", "retried_items", "delivered", "conflicts", "dead_lettered")


class PipelineWindow:
    """Moments of the pipeline, oldest first, bounded in time and number; all of one shipper process."""

    def __init__(self) -> None:
        self.moments: deque[PipelineMoment] = deque(maxlen=MOMENTS_MAX)
        self._latest_shipper: ShipperMoment | None = None

    def add(self, moment: PipelineMoment) -> None:
        """Add the newest moment; a clock that went back, or another shipper, begins anew."""
        if self.moments and (
            moment.seconds <= self.moments[-1].seconds or _is_another(self._latest_shipper, moment.shipper)
        ):
            self.moments.clear()
        self._latest_shipper = moment.shipper or self._latest_shipper
        self.moments.append(moment)
        while moment.seconds - self.moments[0].seconds > KEPT_SECONDS:
            self.moments.popleft()

    @property
    def now(self) -> PipelineMoment:
        """The newest moment."""
        return self.moments[-1]

    def before(self, seconds: float) -> PipelineMoment:
        """Return the newest moment that is at least so long ago, or the oldest there is.

        Args:
            seconds: How long before the newest moment, of which there must be one; 0 returns that one.
        """
        limit_seconds = self.now.seconds - seconds
        for moment in reversed(self.moments):
            if moment.seconds <= limit_seconds:
                return moment
        return self.moments[0]

    def growth(self, seconds: float) -> Growth | None:
        """Return what grew within the last seconds; None where nothing ships the folder."""
        then, now = self.before(seconds), self.now
        if then.shipper is None or now.shipper is None:
            return None
        before, after = then.shipper, now.shipper
        grown = (getattr(after, name) - getattr(before, name) for name in _GROWING)
        return Growth(now.seconds - then.seconds, *grown)

    def grown_counts(
        self, seconds: float, counts: Callable[[PipelineMoment], Mapping[str, int]]
    ) -> dict[str, int]:
        """Return which named counts grew within the last seconds, and by how much."""
        before, after = counts(self.before(seconds)), counts(self.now)
        grown = {name: count - before.get(name, 0) for name, count in after.items()}
        return {name: count for name, count in grown.items() if count > 0}

    def late_seconds(self, seconds: float) -> float:
        """Return how long who looks was held up at most, between two looks within the last seconds."""
        limit_seconds = self.now.seconds - seconds
        return max(each.held_up_seconds for each in self.moments if each.seconds >= limit_seconds)

    def excused_seconds(self, since_seconds: float) -> float:
        """Return how much of the time since a moment may be a wait for processors, at most all of it.

        Args:
            since_seconds: The moment, seconds since 1970; nothing is known of the time before the oldest one.
        """
        return sum(
            after.excused_seconds(after.seconds - max(before.seconds, since_seconds))
            for before, after in self._pairs()
            if after.seconds > since_seconds
        )

    def busy_share(self, seconds: float) -> float:
        """Return how much of the last seconds may be a wait for processors, as a share of what is known."""
        known_seconds = min(seconds, self.now.seconds - self.moments[0].seconds)
        return self.excused_seconds(self.now.seconds - seconds) / known_seconds if known_seconds > 0 else 0.0

    @property
    def is_busy(self) -> bool:
        """Whether the machine was so busy lately that all on it waited long for their turn."""
        return self.late_seconds(BUSY_SECONDS) > _LATE_SECONDS_MAX

    def load_ratio(self, within_seconds: float) -> float:
        """Return how many times the usual rate of records came lately, at most.

        Args:
            within_seconds: Over how long a rate is taken.
        """
        steps = int(_LOAD_SECONDS / within_seconds)
        highest = max(self._rate(within_seconds, within_seconds * step) for step in range(steps))
        # The idle time before the first record says nothing about what is usual.
        began_seconds = next(
            (each.seconds for each in self.moments if each.writers.offered), self.now.seconds
        )
        usual = self._rate(min(_USUAL_SECONDS, self.now.seconds - began_seconds))
        return highest / max(1.0, usual)

    def _rate(self, seconds: float, until_seconds: float = 0.0) -> float:
        """Return how many records a second came within some seconds, up to so many seconds ago."""
        then, last = self.before(until_seconds + seconds), self.before(until_seconds)
        passed_seconds = last.seconds - then.seconds
        return (last.writers.offered - then.writers.offered) / passed_seconds if passed_seconds > 0 else 0.0

    def told(self) -> list[tuple[float, ShipperMoment]]:
        """Return what the shipper said, and when it wrote that, without what it did not write anew.

        Where its file could not be read for a while, as in a folder that was gone, nothing is known of that
        while; it is no break.
        """
        told: list[tuple[float, ShipperMoment]] = []
        for moment in self.moments:
            if moment.shipper is None:
                continue
            said_seconds = moment.seconds - moment.shipper.age_seconds
            if not told or said_seconds > told[-1][0] + _SAME_SECONDS:
                told.append((said_seconds, moment.shipper))
        return told

    def first_of_run(self, holds: Callable[[PipelineMoment], bool]) -> float:
        """Return since when without a break something holds that holds now."""
        since_seconds = self.now.seconds
        for moment in reversed(self.moments):
            if not holds(moment):
                break
            since_seconds = moment.seconds
        return since_seconds

    def _pairs(self) -> Iterator[tuple[PipelineMoment, PipelineMoment]]:
        return pairwise(self.moments)


def _is_another(before: ShipperMoment | None, now: ShipperMoment | None) -> bool:
    if before is None or now is None:
        return False
    return before.pid != now.pid or now.requests < before.requests
