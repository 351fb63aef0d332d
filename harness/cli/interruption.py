"""SIGINT, SIGTERM and SIGHUP as a request to end in good order: faults undone, everything stopped."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType


class Interruption:
    """Counts signals; each one ends one wait of the run, so that a second one shortens the cleaning up."""

    def __init__(self) -> None:
        """Take the signals over from here on; one that is ignored already (nohup) stays ignored."""
        self.requested = False
        self._pending = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    def __call__(self) -> bool:
        """Return whether a signal has come that no wait has answered yet, and answer it."""
        if self._pending == 0:
            return False
        self._pending -= 1
        return True

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.requested = True
        self._pending += 1
        name = signal.Signals(number).name
        text = f"\nlogquake: {name}: undoing faults and stopping everything …\n"
        # Not through a buffered stream: the signal may have come in the middle of another write to it.
        with suppress(OSError):
            os.write(2, text.encode())
