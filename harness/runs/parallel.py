"""Tasks side by side, a few at a time: what ends the run in one of them ends them all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from harness.model.errors import HarnessError, InternalError, described
from harness.processes.clock import SystemClock

_POLL_SECONDS = 0.1

Task: TypeAlias = Callable[[SystemClock], HarnessError | None]
"""Takes the clock for its waits, which end when its neighbours do; returns what ends the run, if anything."""


class SideBySide:
    """Runs tasks in threads, at most `jobs` at a time.

    Args:
        jobs: how many run at a time.
        clock: the run's, for whoever waits for them all.
    """

    def __init__(self, jobs: int, clock: SystemClock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._lock = threading.Lock()
        self._ended_by: HarnessError | None = None

    def run(self, tasks: Sequence[Task]) -> HarnessError | None:
        """Run all of them; once one ends the run no other begins, and those under way end in good order.

        Args:
            tasks: begun in this order.

        Returns:
            What ended the run first, if anything did. Nothing is running any more.
        """
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="scenario") as threads:
            running = [threads.submit(self._run_one, task) for task in tasks]
            try:
                while not all(each.done() for each in running):
                    self._clock.sleep(_POLL_SECONDS)
            except HarnessError as error:
                self._end(error)
            except BaseException as error:
                self._end(InternalError(described(error)))
                raise
        if self._ended_by is not None:
            self._clock.settle()
        return self._ended_by

    def _run_one(self, task: Task) -> None:
        if self._why():
            return
        try:
            ended_by = task(self._clock.another(self._why))
        except BaseException as error:  # a defect of ours; a thread would keep it to itself
            ended_by = InternalError(described(error))
            ended_by.__cause__ = error
        if ended_by is not None:
            self._end(ended_by)

    def _end(self, error: HarnessError) -> None:
        with self._lock:
            self._ended_by = self._ended_by or error

    def _why(self) -> str:
        return "" if self._ended_by is None else f"the run ended: {self._ended_by}"
