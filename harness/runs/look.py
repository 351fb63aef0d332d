"""A look at a fault on a thread of its own, so that the fault ends when its file says, whatever it costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from harness.model.errors import HarnessError, InterruptedRunError, TimeIsUpError

QUICK_SECONDS = 0.25


class Look:
    """Asks for a fault's evidence; what it says can be had once it is done.

    Args:
        evidence: observes from outside: (landed, what was seen).
        target: what it observes.
    """

    def __init__(self, evidence: Callable[[object], tuple[bool, str]], target: object) -> None:
        self._evidence = evidence
        self._target = target
        self._seen: tuple[bool, str] | None = None
        self._error: BaseException | None = None
        self.seconds = 0.0
        # A daemon: evidence that hangs cannot hold the harness beyond its own end.
        self._thread = threading.Thread(target=self._look, name="look at a fault", daemon=True)
        self._thread.start()
        self._thread.join(QUICK_SECONDS)

    @property
    def done(self) -> bool:
        """Return whether it has seen what it will see."""
        return not self._thread.is_alive()

    def result(self) -> tuple[bool, str]:
        """Return (landed, what was seen).

        Raises:
            InterruptedRunError, TimeIsUpError: the run must end.
            Exception: a defect of the fault's own.
        """
        if not self.done:
            return False, "the proof took longer than the fault lasted"
        if isinstance(self._error, InterruptedRunError | TimeIsUpError):
            raise self._error
        if isinstance(self._error, HarnessError):
            return False, f"it could not be checked: {self._error}"
        if self._error is not None:
            raise self._error
        return self._seen or (False, "nothing was observed")

    def _look(self) -> None:
        began = time.monotonic()
        try:
            self._seen = self._evidence(self._target)
        except BaseException as error:  # raised again where the result is asked for
            self._error = error
        self.seconds = time.monotonic() - began
