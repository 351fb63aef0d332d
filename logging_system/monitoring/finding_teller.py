"""Tells findings to a callback of the application, on a thread of its own: no log call waits for one."""

from __future__ import annotations

import _thread
import threading
from collections import deque
from collections.abc import Sequence

from logging_system.monitoring.findings import Finding, OnFinding
from logging_system.spool.uwsgi import forks_to_come

WAITING_MAX = 64


class FindingTeller:
    """Hands findings on, in order; its thread lives while there are some.

    Args:
        on_finding: Told each; None where nobody asked.
    """

    def __init__(self, on_finding: OnFinding | None) -> None:
        self._on_finding = on_finding
        self.begin()

    def begin(self) -> None:
        """Begin anew, as in a forked child, which has none of its parent's threads."""
        self._waiting: deque[Finding] = deque()
        self._works = threading.Lock()  # as a flag: taken by whoever starts the thread, given back by that
        self._thread: int | None = None
        self.untold = 0

    @property
    def is_current(self) -> bool:
        """Whether this thread is the one that tells: what it logs is about findings, and must make none."""
        return self._thread == threading.get_ident()

    def tell(self, findings: Sequence[Finding]) -> None:
        """Tell findings soon; never waits and never raises."""
        if self._on_finding is None:
            return
        for finding in findings:
            if len(self._waiting) < WAITING_MAX:
                self._waiting.append(finding)
            else:
                self.untold += 1
        if self._waiting and not forks_to_come() and self._works.acquire(blocking=False):
            try:
                # Not `threading.Thread`, whose `start` waits until the thread runs.
                _thread.start_new_thread(self._run, (self._on_finding,))
            except (
                RuntimeError
            ):  # the interpreter ends, or there is no thread to be had: tried again next time
                self._works.release()

    def finish(self, seconds_max: float) -> None:
        """Wait until what waits is told.

        Args:
            seconds_max: How long at most.
        """
        self.tell(())
        if not self.is_current and self._works.acquire(timeout=seconds_max):
            self._works.release()

    def _run(self, on_finding: OnFinding) -> None:
        self._thread = threading.get_ident()
        try:
            while self._waiting:
                try:
                    on_finding(self._waiting.popleft())
                except Exception:
                    self.untold += 1
        finally:
            self._thread = None
            self._works.release()
        self.tell(())  # one may have come after the last look
