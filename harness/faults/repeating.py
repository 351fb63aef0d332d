"""What a fault does again and again while it is on, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.model.errors import FaultError


class Repeating:
    """Works until told to end, or until it cannot.

    The thread is a daemon, so that a target that hangs cannot hold the harness beyond its own end.

    Args:
        name: of the thread.
        work: is handed the event that tells it to end; raises FaultError where it cannot go on.
        end_seconds: how long it may take to end.
        late: what is said where it takes longer.
    """

    def __init__(
        self, name: str, work: Callable[[threading.Event], None], end_seconds: float, late: str
    ) -> None:
        self._work = work
        self._end_seconds = end_seconds
        self._late = late
        self._ending = threading.Event()
        self._error: FaultError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def end(self) -> None:
        """Return when the thread has ended; raises FaultError where it does not in time."""
        self._ending.set()
        self._thread.join(self._end_seconds)
        if self._thread.is_alive():
            raise FaultError(self._late)

    def raise_what_failed(self) -> None:
        """Raise the FaultError that ended the work, if one did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._work(self._ending)
        except FaultError as error:
            self._error = error
