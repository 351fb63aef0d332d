"""Something that may take long, done on a thread of its own, so that nothing else has to wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from harness.model.errors import InternalError

ACT_SECONDS_MAX = 300.0
"""More than anything takes that bounds its own waits: what takes longer hangs."""

QUICK_SECONDS = 0.05
"""What is mostly over so soon is waited for; a fault around it may last so much longer than its file says."""

_T = TypeVar("_T")


class Act(Generic[_T]):
    """Begins at once; a quick one is over when it has been made.

    Args:
        what: does it.
        now_ns: tells the time, in nanoseconds, from any thread.
        quick_seconds: how long it is waited for when it is made, in seconds.

    Attributes:
        began_ns: when it began.
        ended_ns: when it ended; of no meaning before it is done.
    """

    def __init__(
        self,
        what: Callable[[], _T],
        now_ns: Callable[[], int] = time.monotonic_ns,
        quick_seconds: float = QUICK_SECONDS,
    ) -> None:
        self._what = what
        self._now_ns = now_ns
        self._value: list[_T] = []
        self._error: BaseException | None = None
        self.began_ns = self.ended_ns = now_ns()
        # A daemon: what hangs cannot hold the harness beyond its own end.
        self._thread = threading.Thread(target=self._act, name="act", daemon=True)
        self._thread.start()
        self._thread.join(quick_seconds)

    @property
    def done(self) -> bool:
        """Return whether it is over, well or not."""
        return not self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """Return whether it is over and raised something."""
        return self.done and self._error is not None

    def done_within(self, seconds: float) -> bool:
        """Wait for it; return whether it is over.

        Args:
            seconds: how long it is waited for at most.
        """
        self._thread.join(seconds)
        return self.done

    def result(self) -> _T:
        """Return what it returned; raises what it raised, and InternalError while it is not over."""
        if not self.done:
            raise InternalError("asked for the result of what is not over yet")
        if self._error is not None:
            raise self._error
        return self._value[0]

    def _act(self) -> None:
        try:
            self._value.append(self._what())
        except BaseException as error:  # raised again where the result is asked for
            self._error = error
        self.ended_ns = self._now_ns()
