"""Sums over the last second, ten seconds and minute: a window is cut into slots, and forgets whole slots.

```
            slot   slot   slot  …  slot   now
──────────┼──────┼──────┼──────┼──────┼───┤
 forgotten └──────────── the window ──────┘
```

Slots begin at multiples of their width on the clock that is told, the monotonic one. A window of ten slots
covers nine whole ones and the one that is not over, so between 0.9 and 1 times its length. Time and amounts
are told; there is no clock, thread or lock inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

SLOTS = 10
"""Slots of each window."""
COVERED_NS_MIN = 100_000_000
"""A rate over less than this would say little."""

Amount = TypeVar("Amount")
"""What a slot holds."""


class SlidingWindow(Generic[Amount]):
    """What happened within the last moments.

    Args:
        window_ns: Length of the window in nanoseconds, a multiple of its slots.
        empty: Returns an amount of nothing.
    """

    def __init__(self, window_ns: int, empty: Callable[[], Amount]) -> None:
        self.window_ns = window_ns
        self._slot_ns = window_ns // SLOTS
        self._empty = empty
        self._newest = -1
        self._slots: dict[int, Amount] = {}

    def slot(self, moment_ns: int) -> Amount:
        """Return the amount of the slot that a moment is in, to be added to.

        A moment before the latest one told counts as that: it is as late as two threads are apart.

        Args:
            moment_ns: When, on the monotonic clock.
        """
        self._move(moment_ns)
        amount = self._slots.get(self._newest)
        if amount is None:
            amount = self._slots[self._newest] = self._empty()
        return amount

    def amounts(self, now_ns: int) -> list[Amount]:
        """Return what the slots of the window hold, the oldest first; empty slots are left out.

        Args:
            now_ns: Where the window ends; it never moves back.
        """
        self._move(now_ns)
        return list(self._slots.values())

    def covered_ns(self, now_ns: int, since_ns: int) -> int:
        """Return how much time the window covers, `COVERED_NS_MIN` at least.

        Args:
            now_ns: Where the window ends.
            since_ns: When telling began; a younger window covers less.
        """
        begins_ns = max((now_ns // self._slot_ns - SLOTS + 1) * self._slot_ns, since_ns)
        return max(now_ns - begins_ns, COVERED_NS_MIN)

    def _move(self, moment_ns: int) -> None:
        newest = moment_ns // self._slot_ns
        if newest <= self._newest:
            return
        self._newest = newest
        for index in [index for index in self._slots if index <= newest - SLOTS]:
            del self._slots[index]
