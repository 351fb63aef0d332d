"""The real clock of a run, and its patience: every wait ends when the run must."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.errors import InterruptedRunError, TimeIsUpError

_SLICE_SECONDS = 0.1


class SystemClock:
    """CLOCK_MONOTONIC, with waits that end early when the run is interrupted or its time is up.

    Each cause ends one wait: the waits of the cleaning up that follows must not be cut short by it again.

    Args:
        deadline_ns: when the run must have ended, in nanoseconds of this clock; None = no limit.
        interrupted: tells whether a person or a supervisor asked the run to end since it was last called.
    """

    def __init__(
        self, deadline_ns: int | None = None, interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        self._deadline_ns = deadline_ns
        self._interrupted = interrupted

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, in slices of at most 0.1 s.

        Raises:
            InterruptedRunError: the run was asked to end.
            TimeIsUpError: the deadline has passed.
        """
        until_ns = self.now_ns() + round(seconds * 1e9)
        self._check()
        while (left_seconds := (until_ns - self.now_ns()) / 1e9) > 0:
            time.sleep(min(left_seconds, _SLICE_SECONDS))
            self._check()

    def _check(self) -> None:
        if self._interrupted():
            raise InterruptedRunError("the run was asked to end by a signal")
        if self._deadline_ns is not None and self.now_ns() >= self._deadline_ns:
            self._deadline_ns = None
            raise TimeIsUpError("the run reached its time limit; give it more with --max-minutes")
