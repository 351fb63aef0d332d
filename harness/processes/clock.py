"""The real clock of a run: every wait ends early when the run is interrupted or its time is up."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.model.errors import InterruptedRunError, TimeIsUpError
from harness.model.nanoseconds import SECOND_NS

_SLICE_SECONDS = 0.1


def _never() -> str:
    return ""


class SystemClock:
    """CLOCK_MONOTONIC, with waits that end early when the run is interrupted or its time is up.

    Each cause ends one wait: the waits of the cleaning up that follows must not be cut short by it again.
    What runs in a thread of its own has a clock of its own (`another`), so that a cause ends a wait of each.

    Args:
        deadline_ns: when the run must have ended, in nanoseconds of this clock; None = no limit.
        signals: tells how often a person or a supervisor has asked the run to end so far.
        called_off: says why this part of the run must end though the run may go on; empty = it need not.
    """

    def __init__(
        self,
        deadline_ns: int | None = None,
        signals: Callable[[], int] = lambda: 0,
        called_off: Callable[[], str] = _never,
    ) -> None:
        self._deadline_ns = deadline_ns
        self._signals = signals
        self._answered = 0
        self._called_off = called_off

    def another(self, called_off: Callable[[], str]) -> SystemClock:
        """Return a clock for another thread of the run: what this one has answered it need not answer.

        Args:
            called_off: says why that thread's part must end; empty = it need not.
        """
        clock = SystemClock(self._deadline_ns, self._signals, called_off)
        clock._answered = self._answered
        return clock

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, in slices of at most 0.1 s.

        Raises:
            InterruptedRunError: the run was asked to end, or what the clock belongs to was called off.
            TimeIsUpError: the deadline has passed.
        """
        until_ns = self.now_ns() + round(seconds * SECOND_NS)
        self._check()
        while (left_seconds := (until_ns - self.now_ns()) / SECOND_NS) > 0:
            time.sleep(min(left_seconds, _SLICE_SECONDS))
            self._check()

    def settle(self) -> None:
        """Take every cause so far for answered: a part of the run with another clock has answered it."""
        self._answered = self._signals()
        if self._is_past_deadline():
            self._deadline_ns = None

    def _check(self) -> None:
        if (error := self._cause()) is not None:
            # Whoever ends calls the others off for the cause that they may have answered already.
            self._called_off = _never
            raise error

    def _cause(self) -> InterruptedRunError | TimeIsUpError | None:
        if self._answered < self._signals():
            self._answered += 1
            return InterruptedRunError("the run was asked to end by a signal")
        if self._is_past_deadline():
            self._deadline_ns = None
            return TimeIsUpError("the run reached its time limit; give it more with --max-minutes")
        why = self._called_off()
        return InterruptedRunError(why) if why else None

    def _is_past_deadline(self) -> bool:
        return self._deadline_ns is not None and self.now_ns() >= self._deadline_ns
