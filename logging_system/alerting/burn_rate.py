"""How fast an objective's error budget is used up, in pairs of windows.

The burn rate is the share of bad records over the share that the objective allows. Each pair of windows has
a rate: the long one says that it matters, the short one that it still goes on. Two pairs are those that the
Site Reliability Workbook recommends for pages, 2 % of a month's budget within 1 h and 5 % within 6 h.

https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

BUCKET_SECONDS = 60.0


class BurnWindows(BaseModel):
    """A long and a short window, and the burn rate that both must exceed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    long_seconds: float = Field(ge=60, le=3 * 86_400, description="Says that it matters.")
    short_seconds: float = Field(ge=60, le=86_400, description="Says that it still goes on.")
    rate: float = Field(gt=0, le=1e6, description="How many times as fast as the objective allows.")

    @model_validator(mode="after")
    def _is_in_order(self) -> BurnWindows:
        if self.short_seconds >= self.long_seconds:
            raise ValueError("short_seconds must be less than long_seconds")
        return self


PAGES = (
    BurnWindows(long_seconds=3_600, short_seconds=300, rate=14.4),
    BurnWindows(long_seconds=21_600, short_seconds=1_800, rate=6),
)
"""What the workbook recommends to wake people for."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What is promised of records, and when breaking it matters.

    Attributes:
        objective: The share that must be good, above 0 and below 1.
        windows: Pairs of windows; one that burns is enough.
        records_min: How many records a long window must have.
    """

    objective: float
    windows: Sequence[BurnWindows]
    records_min: int

    @property
    def longest(self) -> BurnWindows:
        """The pair that looks back furthest."""
        return max(self.windows, key=lambda each: each.long_seconds)


class BurnCounts:
    """Good and bad records by the minute.

    Args:
        promised: What they are measured by.
    """

    def __init__(self, promised: Objective) -> None:
        self.promised = promised
        self._buckets: dict[int, list[int]] = {}

    def add(self, seconds: float, *, good: int = 0, bad: int = 0) -> None:
        """Count records of one moment.

        Args:
            seconds: When they were logged, seconds since 1970; they count for the whole minute.
            good: How many kept the promise.
            bad: How many broke it.
        """
        bucket = self._buckets.setdefault(int(seconds // BUCKET_SECONDS), [0, 0])
        bucket[0] += good
        bucket[1] += bad

    def burning(self, now_seconds: float) -> BurnWindows | None:
        """Return the first pair of windows that both exceed its rate; None where none does.

        Args:
            now_seconds: Where the windows end, seconds since 1970. A pair whose long window has fewer records
                than `records_min` of the objective never burns.
        """
        return next((pair for pair in self.promised.windows if self._burns(pair, now_seconds)), None)

    def _burns(self, pair: BurnWindows, now_seconds: float) -> bool:
        good, bad = self.counts(pair.long_seconds, now_seconds)
        return (
            good + bad >= self.promised.records_min
            and self.rate(pair.long_seconds, now_seconds) > pair.rate
            and self.rate(pair.short_seconds, now_seconds) > pair.rate
        )

    def rate(self, seconds: float, now_seconds: float) -> float:
        """Return the burn rate of a window: 1 uses the error budget up exactly; 0 where nothing was bad.

        Args:
            seconds: How long the window is.
            now_seconds: Where it ends, seconds since 1970.
        """
        good, bad = self.counts(seconds, now_seconds)
        return bad / (good + bad) / (1 - self.promised.objective) if bad else 0.0

    def counts(self, seconds: float, now_seconds: float) -> tuple[int, int]:
        """Return how many records of a window were good, and how many bad.

        Args:
            seconds: How long the window is. Minutes count as a whole: the one in which it begins is in it.
            now_seconds: Where it ends, seconds since 1970.
        """
        oldest, latest = (now_seconds - seconds) // BUCKET_SECONDS, now_seconds // BUCKET_SECONDS
        within = [counts for minute, counts in self._buckets.items() if oldest <= minute <= latest]
        return sum(good for good, _ in within), sum(bad for _, bad in within)

    def forget_before(self, seconds: float) -> None:
        """Give up the minutes that no window needs any more.

        Args:
            seconds: The moment before which they end, seconds since 1970; its own minute stays.
        """
        oldest = seconds // BUCKET_SECONDS
        for minute in [each for each in self._buckets if each < oldest]:
            del self._buckets[minute]

    def forget_after(self, seconds: float) -> None:
        """Give up the minutes after a moment: they are of a time of day that was wrong.

        Args:
            seconds: The time of day now, seconds since 1970; its own minute and the next one stay.
        """
        latest = seconds // BUCKET_SECONDS + 1
        for minute in [each for each in self._buckets if each > latest]:
            del self._buckets[minute]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is counted."""
        return not self._buckets

    @property
    def last_seconds(self) -> float:
        """The end of the last minute that has records; there must be one."""
        return (max(self._buckets) + 1) * BUCKET_SECONDS

    def summary(self, pair: BurnWindows, now_seconds: float, what: str) -> str:
        """Return in one sentence how fast the budget is used up.

        Args:
            pair: Which windows.
            now_seconds: Where they end.
            what: What bad records are, such as `were not delivered within 30 s`.
        """
        good, bad = self.counts(pair.long_seconds, now_seconds)
        rate, objective = self.rate(pair.long_seconds, now_seconds), self.promised.objective
        return (
            f"{bad} of {good + bad} records of the last {pair.long_seconds / 3600:g} h {what}; "
            f"{rate:.1f} times what an objective of {objective:.4%} allows; the limit is {pair.rate:g} times"
        )

    def content(self) -> list[list[int]]:
        """Return the counts, as JSON has them."""
        return [[minute, *counts] for minute, counts in self._buckets.items()]

    def restore(self, content: Iterable[Sequence[int]]) -> None:
        """Go on with what `content` returned."""
        self._buckets = {minute: [good, bad] for minute, good, bad in content}
