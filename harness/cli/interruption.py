"""SIGINT, SIGTERM and SIGHUP as a request to end in good order: faults undone, everything stopped."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

from harness.model.errors import HarnessError, InterruptedRunError


class Interruption:
    """Counts signals; each ends one wait of every clock, so that a second one shortens the cleaning up."""

    def __init__(self) -> None:
        """Take the signals over from here on; one that is ignored already (nohup) stays ignored."""
        self._signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    @property
    def requested(self) -> bool:
        """Whether the run was asked to end."""
        return self._signals > 0

    def raise_what_ended(self, ended_by: HarnessError | None) -> None:
        """Raise what ended a run whose result is written; nothing where it ran to its end.

        Args:
            ended_by: what the run says ended it early.

        Raises:
            HarnessError: that, or InterruptedRunError for a signal that came too late to end anything.
        """
        if ended_by is not None:
            raise ended_by
        if self.requested:
            raise InterruptedRunError("interrupted by a signal; the result holds what was judged until then")

    def __call__(self) -> int:
        """Return how many signals have come so far."""
        return self._signals

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        name = signal.Signals(number).name
        text = f"\nlogquake: {name}: undoing faults and stopping everything …\n"
        # Not through a buffered stream: the signal may have come in the middle of another write to it.
        with suppress(OSError):
            os.write(2, text.encode())
