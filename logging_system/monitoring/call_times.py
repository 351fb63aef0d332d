"""How long log calls take, from a sample of them: one in so many of each thread is timed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

TIMED_EVERY = 61
"""One call in so many is timed: a prime, so that no loop of an application keeps step with it."""
_WINDOW_NS = 60_000_000_000
_KEPT_MAX = 1_024
_TIMED_MIN = 20


class CallTimes:
    """The latest calls that were timed; adding is one step, so no thread waits for another.

    Args:
        clock: Monotonic nanoseconds.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._timed: deque[tuple[int, int]] = deque(maxlen=_KEPT_MAX)

    def add(self, took_ns: int) -> None:
        """Take note of a call that has just ended.

        Args:
            took_ns: How long it took, in nanoseconds.
        """
        self._timed.append((self._clock(), took_ns))

    def p99_ms(self) -> float | None:
        """Return the 99th percentile of the last minute in milliseconds; None where too few were timed."""
        since_ns = self._clock() - _WINDOW_NS
        took = sorted(took_ns for ended_ns, took_ns in self._timed.copy() if ended_ns >= since_ns)
        if len(took) < _TIMED_MIN:
            return None
        return took[-(-len(took) * 99 // 100) - 1] / 1e6
