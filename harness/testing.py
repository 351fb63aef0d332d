"""For tests of parts and plug-ins: stand-ins that keep the contracts of the real ones."""

from __future__ import annotations

from harness.model.errors import InterruptedRunError, TimeIsUpError
from harness.model.nanoseconds import SECOND_NS


class FakeClock:
    """A clock whose waits take no time: sleeping moves it on at once.

    Args:
        now_ns: where it begins, in nanoseconds.
        deadline_ns: from when on waits raise TimeIsUpError; None = never.
    """

    def __init__(self, now_ns: int = 0, deadline_ns: int | None = None) -> None:
        self._now_ns = now_ns
        self._deadline_ns = deadline_ns
        self._interrupted = False

    def now_ns(self) -> int:
        """Return the time it has been moved to, in nanoseconds."""
        return self._now_ns

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds`, but not past the deadline.

        Raises:
            InterruptedRunError: `interrupt` was called.
            TimeIsUpError: the deadline is reached.
        """
        if self._interrupted:
            raise InterruptedRunError("the test asked the run to end")
        self._now_ns += round(seconds * SECOND_NS)
        if self._deadline_ns is not None and self._now_ns >= self._deadline_ns:
            self._now_ns = self._deadline_ns
            raise TimeIsUpError("the test's time is up")

    def interrupt(self) -> None:
        """Let every wait from now on raise InterruptedRunError, as a signal does."""
        self._interrupted = True
