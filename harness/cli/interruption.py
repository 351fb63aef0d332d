"""SIGINT and SIGTERM as a request to end in good order: faults undone, everything stopped."""

from __future__ import annotations

import signal
from types import FrameType

import click


class Interruption:
    """Counts signals; each one ends one wait of the run, so that a second one shortens the cleaning up."""

    def __init__(self) -> None:
        """Take both signals over from here on."""
        self.requested = False
        self._pending = 0
        for number in (signal.SIGINT, signal.SIGTERM):
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
        click.echo(f"\nlogquake: {name}: undoing faults and stopping everything …", err=True)
