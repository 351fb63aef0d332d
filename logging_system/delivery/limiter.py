"""Adaptive concurrency limit: more requests at once while answers stay quick, fewer on push-back.

And how large: a request that takes seconds would take longer than it may on a line just a little slower, and
then be sent again, as a whole, for ever. Documents in a request are halved above one bound and doubled below
another, as far as the settings allow.

Additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the Increase and Decrease Algorithms
for Congestion Avoidance", 1989), with a slow start (RFC 5681, 3.1). A round trip that is an outlier of those
before it is a queue building up in the store, and counts as push-back before the store has to say so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DECREASE = 0.9
DEVIATIONS_MAX = 2.5
LONG_SECONDS = 2.0
"""A round trip above makes requests smaller, a quarter of it larger."""

SMALLEST_SHARE = 16
"""The smallest requests are this part of the largest: they all have the same costs beside their documents."""

_SMOOTHING = 0.3
_SAMPLES_MIN = 4
_DEVIATION_SHARE_MIN = 0.1
"""Answers that always took the same time would make an outlier of every tremor."""


@dataclass(slots=True)
class Limiter:
    """How many requests may be under way.

    Attributes:
        cap: Most requests that may ever be under way at once.
        records_cap: Most documents that a request may ever carry.
        limit: Where the limit stands; whole requests of it count.
        slow_start: Whether the limit doubles instead of rising by one.
    """

    cap: int
    records_cap: int = 4_000
    limit: float = 1.0
    slow_start: bool = True
    _halvings: int = 0
    _mean_seconds: float = 0.0
    _variance: float = 0.0
    _samples: int = 0
    _adjusted_seconds: float = -math.inf
    _was_reached: bool = False

    @property
    def allowed(self) -> int:
        """Requests that may be under way now; at least one."""
        return int(self.limit)

    @property
    def records(self) -> int:
        """Documents that a request may carry now; at least one."""
        return max(1, self.records_cap >> self._halvings)

    def sent(self, in_flight: int) -> None:
        """Report that a request was sent.

        Args:
            in_flight: Requests under way, this one included.
        """
        self._was_reached = self._was_reached or in_flight >= self.allowed

    def succeeded(self, sent_seconds: float, now_seconds: float) -> None:
        """Report an answer without push-back; the limit moves once a round trip.

        Args:
            sent_seconds: When its request went out, monotonic.
            now_seconds: Monotonic time.
        """
        round_trip_seconds = now_seconds - sent_seconds
        self._resize(round_trip_seconds)
        is_slow = self._is_outlier(round_trip_seconds)
        self._learn(round_trip_seconds)
        if is_slow:
            self._fewer(sent_seconds, now_seconds)
        elif self._was_reached and sent_seconds >= self._adjusted_seconds:
            raised = self.limit * 2.0 if self.slow_start else self.limit + 1.0
            self._adjust(min(float(self.cap), raised), now_seconds)

    def pushed_back(self, sent_seconds: float, now_seconds: float) -> None:
        """Report that the store asked for less, or did not answer.

        Args:
            sent_seconds: When the request went out, monotonic.
            now_seconds: Monotonic time.
        """
        if now_seconds - sent_seconds >= LONG_SECONDS:  # else it says nothing about size
            self._resize(now_seconds - sent_seconds)
        self._fewer(sent_seconds, now_seconds)

    def _fewer(self, sent_seconds: float, now_seconds: float) -> None:
        self.slow_start = False
        if sent_seconds >= self._adjusted_seconds:  # else it says what is known since the last decrease
            self._adjust(max(1.0, self.limit * DECREASE), now_seconds)

    def collapse(self, now_seconds: float) -> None:
        """Begin again with one request, as after an outage.

        Args:
            now_seconds: Monotonic time.
        """
        self.slow_start = True
        self._adjust(1.0, now_seconds)

    def _resize(self, round_trip_seconds: float) -> None:
        if round_trip_seconds >= LONG_SECONDS:
            if self.records_cap >> (self._halvings + 1) >= max(1, self.records_cap // SMALLEST_SHARE):
                self._halvings += 1
        elif round_trip_seconds <= LONG_SECONDS / 4:
            self._halvings = max(0, self._halvings - 1)

    def _adjust(self, limit: float, now_seconds: float) -> None:
        self.limit = limit
        self._adjusted_seconds = now_seconds
        self._was_reached = False

    def _is_outlier(self, round_trip_seconds: float) -> bool:
        if self._samples < _SAMPLES_MIN:
            return False
        deviation = max(math.sqrt(self._variance), self._mean_seconds * _DEVIATION_SHARE_MIN)
        return round_trip_seconds >= self._mean_seconds + DEVIATIONS_MAX * deviation

    def _learn(self, round_trip_seconds: float) -> None:
        # T. Finch, "Incremental calculation of weighted mean and variance", 2009, section 9.
        self._samples += 1
        if self._samples == 1:
            self._mean_seconds = round_trip_seconds
            return
        difference = round_trip_seconds - self._mean_seconds
        step = _SMOOTHING * difference
        self._mean_seconds += step
        self._variance = (1.0 - _SMOOTHING) * (self._variance + difference * step)
