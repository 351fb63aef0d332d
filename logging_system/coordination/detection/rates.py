"""When a count is far from all counts before it: pure judgement of one series of counts a second.

Two things must agree. The count must be several times beyond the extremes seen before, so that a load that
comes in bursts, or not at all for a while, teaches its own limits. And it must be surprising, given mean and
dispersion of what was seen: by Chernoff's bound on the tail of a negative binomial distribution, of which the
Poisson distribution is the case without overdispersion (P. J. Cameron; see any text on large deviations).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FINE_SECONDS = 30
STEP_SECONDS = 5
COARSE_MAX = 240
"""Steps of history: 20 minutes."""
SURPRISE_MIN = math.log(1e9)
HELD_SECONDS_MAX = 600
"""What lasts longer than this becomes usual."""


def surprise(count: int, mean: float, variance: float) -> float:
    """Return the least by which a count is surprising: minus the natural logarithm of its tail's probability.

    Args:
        count: What was counted.
        mean: What is expected, above 0.
        variance: How much it varies; at most the mean is taken for Poisson's.
    """
    if mean <= 0:
        return 0.0 if count <= 0 else math.inf
    term = count * math.log(count / mean) if count else 0.0
    if variance <= mean * 1.0001:
        return term - count + mean
    shape = mean * mean / (variance - mean)
    return term - (count + shape) * math.log((count + shape) / (mean + shape))


@dataclass(frozen=True, slots=True)
class RateLimits:
    """From what size on a change of a rate is one.

    Attributes:
        sudden_factor: A rate that jumps to so many times the highest before is a spike at once; twenty
            times for some seconds is an honest burst.
        sudden_min: At least so many a second.
        sudden_usual_min: And only above a usual rate of so many a second.
        sudden_usual_seconds: The usual rate is the highest mean of so many seconds: on a busy machine what
            stalled for half a second catches up in the next.
        sudden_history_seconds: And after so many seconds.
        spike_factor: A rate of so many times the highest before for 15 s is a spike.
        spike_min: At least so many in 5 s.
        drop_share: Less than this share of the lowest 30 s before is a drop.
        drop_min: Only where these were at least so many.
        history_steps: Steps of history that must be known for what is not sudden.
    """

    sudden_factor: float = 25.0
    sudden_min: int = 1_000
    sudden_usual_min: int = 20
    sudden_usual_seconds: int = 3
    sudden_history_seconds: int = 3
    spike_factor: float = 4.0
    spike_min: int = 200
    drop_share: float = 0.25
    drop_min: int = 120
    history_steps: int = 24


RECORDS = RateLimits()
ERRORS = RateLimits(
    sudden_factor=15.0,
    sudden_min=20,
    sudden_usual_min=0,
    sudden_usual_seconds=1,
    sudden_history_seconds=10,
    spike_min=20,
    drop_share=0.0,
    drop_min=1,
)


@dataclass(frozen=True, slots=True)
class RateChange:
    """A rate that is not as it was.

    Attributes:
        count: What was counted.
        within_seconds: In what time.
        usual: What the most, or the least, was before, in the same time.
        surprise: How surprising it is.
    """

    count: int
    within_seconds: int
    usual: int
    surprise: float


class RateSeries:
    """Counts a second of one kind of record: the latest seconds, and steps of 5 s before them.

    Args:
        limits: From what size on a change is one.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._fine: deque[tuple[int, bool]] = deque(maxlen=FINE_SECONDS)
        """Count of each second, and whether it belongs to a spike or a drop."""
        self._coarse: deque[tuple[int, int]] = deque(maxlen=COARSE_MAX)
        """Sum of each step of 5 s, and its highest rate; what belongs to a spike or a drop is left out."""
        self._step: list[int] = []
        self._held_seconds = 0
        self.zero_run = 0
        self.longest_zero_run = 0
        self.seconds = 0

    def push(self, count: int, *, is_held: bool = False) -> None:
        """Add a second.

        Args:
            count: What was counted in it.
            is_held: Whether a change lasts, so that this second says nothing about what is usual.
        """
        self._held_seconds = self._held_seconds + 1 if is_held else 0
        if len(self._fine) == FINE_SECONDS:
            self._age(*self._fine[0])
        self._fine.append((count, is_held and self._held_seconds <= HELD_SECONDS_MAX))
        self.seconds += 1
        if count == 0:
            self.zero_run += 1
            return
        if not is_held:
            self.longest_zero_run = max(self.longest_zero_run, self.zero_run)
        self.zero_run = 0

    def hold(self, seconds: int) -> None:
        """Say that the latest seconds belong to a change that was found just now."""
        latest = list(self._fine)
        cut = max(0, len(latest) - seconds)
        self._fine = deque(
            [*latest[:cut], *((count, True) for count, _ in latest[cut:])], maxlen=FINE_SECONDS
        )

    def _age(self, count: int, was_held: bool) -> None:
        if was_held:
            self._step.clear()
            return
        self._step.append(count)
        if len(self._step) == STEP_SECONDS:
            self._coarse.append((sum(self._step), self._highest(self._step)))
            self._step.clear()

    def _highest(self, counts: Sequence[int]) -> int:
        """Return the highest rate a second among counts, over as many seconds as the limits say."""
        seconds = self._limits.sudden_usual_seconds
        if len(counts) < seconds:
            return max(counts, default=0)
        sums = (sum(counts[place : place + seconds]) for place in range(len(counts) - seconds + 1))
        return math.ceil(max(sums) / seconds)

    @property
    def mean(self) -> float:
        """The mean count a second of what is usual."""
        return (
            sum(each for each, _ in self._coarse) / (STEP_SECONDS * len(self._coarse))
            if self._coarse
            else 0.0
        )

    def spike(self) -> RateChange | None:
        """Return that much more comes than ever before, if so."""
        return self._sudden_spike() or self._lasting_spike()

    def _sudden_spike(self) -> RateChange | None:
        limits = self._limits
        fine = list(self._fine)
        before = [count for count, held in fine[:-2] if not held]
        known_seconds = len(before) + STEP_SECONDS * len(self._coarse)
        if len(fine) < 3 or known_seconds < limits.sudden_history_seconds:
            return None
        latest = min(count for count, _ in fine[-2:])
        # The second in which it began may belong to both.
        known = [count for count, held in fine[:-3] if not held]
        usual = max([self._highest(known), *(top for _, top in self._coarse)])
        if usual < limits.sudden_usual_min or latest < max(
            limits.sudden_min, limits.sudden_factor * max(1, usual)
        ):
            return None
        return RateChange(latest, 1, usual, surprise(latest, max(1.0, usual), max(1.0, usual)))

    def _lasting_spike(self) -> RateChange | None:
        limits = self._limits
        if len(self._coarse) < limits.history_steps:
            return None
        fine = [count for count, _ in self._fine]
        steps = [sum(fine[-end : len(fine) - end + STEP_SECONDS]) for end in (15, 10, 5)]
        usual = max(each for each, _ in self._coarse)
        least = min(steps)
        if least < max(limits.spike_min, limits.spike_factor * max(1, usual)):
            return None
        found = surprise(least, *_moments(each for each, _ in self._coarse))
        # Each of three steps in a row is at least as surprising as the least of them.
        return RateChange(least, STEP_SECONDS, usual, found) if len(steps) * found >= SURPRISE_MIN else None

    def drop(self) -> RateChange | None:
        """Return that much less comes than ever before, if so."""
        lowest = self._lowest_half_minute()
        count = sum(count for count, _ in self._fine)
        if lowest is None or count >= self._limits.drop_share * lowest:
            return None
        steps = FINE_SECONDS // STEP_SECONDS
        mean, variance = _moments(each for each, _ in self._coarse)
        found = surprise(count, steps * mean, steps * variance)
        return RateChange(count, FINE_SECONDS, lowest, found) if found >= SURPRISE_MIN else None

    def _lowest_half_minute(self) -> int | None:
        steps = FINE_SECONDS // STEP_SECONDS
        sums = [each for each, _ in self._coarse]
        if len(sums) < self._limits.history_steps + 2 * steps or len(self._fine) < FINE_SECONDS:
            return None
        if 3 * self.longest_zero_run > FINE_SECONDS:  # a load that is off for long says so by silence alone
            return None
        lowest = min(sum(sums[place : place + steps]) for place in range(len(sums) - steps + 1))
        return lowest if lowest >= self._limits.drop_min else None

    def silence(self) -> RateChange | None:
        """Return that nothing comes for several times as long as ever before, if so."""
        limit_seconds = max(FINE_SECONDS, 3 * self.longest_zero_run)
        if len(self._coarse) < self._limits.history_steps or self.zero_run < limit_seconds:
            return None
        usual = round(self.mean * self.zero_run)
        if usual < self._limits.drop_min:
            return None
        return RateChange(0, self.zero_run, usual, float(usual))

    def recent(self, seconds: int) -> int:
        """Return how many came in the latest seconds."""
        return sum(count for count, _ in list(self._fine)[-seconds:])

    def before(self, seconds: int) -> int:
        """Return how many came in the seconds that are known one by one, without the latest."""
        return sum(count for count, _ in list(self._fine)[: max(0, len(self._fine) - seconds)])

    def latest(self, seconds: int) -> list[int]:
        """Return the counts of the latest seconds."""
        return [count for count, _ in list(self._fine)[-seconds:]]

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "fine": list(self._fine),
            "coarse": list(self._coarse),
            "step": self._step,
            "zero_run": self.zero_run,
            "longest_zero_run": self.longest_zero_run,
            "seconds": self.seconds,
        }

    def restore(self, content: Any) -> None:
        """Go on with it."""
        self._fine.extend((int(count), bool(held)) for count, held in content["fine"])
        self._coarse.extend((int(total), int(top)) for total, top in content["coarse"])
        self._step = [int(each) for each in content["step"]]
        self.zero_run, self.longest_zero_run = content["zero_run"], content["longest_zero_run"]
        self.seconds = content["seconds"]


def _moments(counts: Iterable[int]) -> tuple[float, float]:
    """Return mean and variance."""
    values: Sequence[int] = list(counts)
    mean = sum(values) / len(values)
    return mean, sum((each - mean) ** 2 for each in values) / len(values)
