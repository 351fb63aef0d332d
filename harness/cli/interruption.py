"""SIGINT, SIGTERM and SIGHUP as a request to end in good order: faults undone, everything stopped."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType


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
