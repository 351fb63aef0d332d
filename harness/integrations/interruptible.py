"""Signals during a scenario: they end it in good order instead of in the middle of undoing a fault."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any

from harness.cli.interruption import Interruption

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruptible:
    """Counts signals while it is entered, and gives them back to whoever had them before."""

    def __init__(self) -> None:
        """Nothing is taken over yet."""
        self._before: dict[int, Any] = {}
        self._counted: Interruption | None = None
        self._earlier = 0

    def __call__(self) -> int:
        """Return how many signals have come so far."""
        return self._earlier + (0 if self._counted is None else self._counted())

    def __enter__(self) -> None:
        """Take the signals over; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in _SIGNALS}
            self._counted = Interruption()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        self._earlier, self._counted = self(), None
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
