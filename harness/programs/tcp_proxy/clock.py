"""Time as the stages see it: a monotonic reading and timers that never fire early."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that has not happened yet."""

    def cancel(self) -> None:
        """Forget the call; harmless once it has happened."""


class Clock(Protocol):
    """Where stages get the time from; tests hand in one they turn by hand."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call once, not before `seconds` have passed."""


class LoopClock:
    """The clock of a running event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Seconds of CLOCK_MONOTONIC; the loop's own clock has whole milliseconds only."""
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call once, not before `seconds` have passed."""
        return _PunctualTimer(self._loop, time.monotonic() + seconds, callback)


class _PunctualTimer:
    """Waits again when libuv, which counts whole milliseconds, wakes a fraction of one too early."""

    __slots__ = ("_callback", "_due", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, due: float, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._due = due
        self._callback = callback
        self._arm(due - time.monotonic())

    def cancel(self) -> None:
        self._handle.cancel()

    def _arm(self, seconds: float) -> None:
        milliseconds = max(0, math.ceil(seconds * 1000))
        self._handle: asyncio.Handle = self._loop.call_later(milliseconds / 1000, self._wake)

    def _wake(self) -> None:
        remaining = self._due - time.monotonic()
        if remaining > 0:
            self._arm(remaining)
        else:
            self._callback()
