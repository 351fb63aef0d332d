"""Locust as a load: its master and workers in the application's place, driven by the plan's schedule."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.load.hosted import CONTROL, HostedLoad
from harness.load.locust.figures import FIGURES_FILE
from harness.model.declarations import APPLICATION, LOAD, worker_name
from harness.model.protocols import Clock, LoadSpec
from harness.processes.ports import free_port, release_port

MASTER = "master"
USERS_MAX = 1_000
WORKERS_MAX = 32


class LocustLoad(HostedLoad):
    """Locust's master and workers, a control beside them, and the oracle that watches.

    Args:
        spec: what to send.
        folder: a private folder to work in.
        history: the folder of the history.
        clock: for every wait.
        users: how many users send; by default as many as the scenario has producers.
        workers: how many processes host the users, each of them some.
        file: a Locust file of your own, whose users call `send()`; by default a user that does nothing else.
    """

    def __init__(
        self,
        spec: LoadSpec,
        folder: Path,
        history: Path,
        clock: Clock,
        users: int = 0,
        workers: int = 1,
        file: str = "",
    ) -> None:
        self._workers = workers
        self._file = file
        self._port = 0
        super().__init__(replace(spec, producers=users or spec.producers), folder, history, clock)

    def targets(self) -> Mapping[str, object]:
        """Return each worker, and the load; a load with one worker has that for its application."""
        workers = {name: self._resuming(name) for name in self._worker_names()}
        return {APPLICATION: next(iter(workers.values())), **workers, LOAD: self._surge()}

    def usage(self) -> dict[str, float]:
        """Return what the control takes up; the workers hold nothing of the stack that could be judged."""
        return self._usage_of((CONTROL,))

    def stop(self) -> None:
        """Stop what still runs; idempotent."""
        super().stop()
        release_port(self._port)

    def _senders(self, assignment: Path) -> Mapping[str, Sequence[str]]:
        self._port = free_port()
        here, figures = "harness.load.locust", str(self._folder / FIGURES_FILE)
        master = (
            sys.executable,
            "-m",
            f"{here}.master",
            str(assignment),
            str(self._port),
            figures,
            self._file,
        )
        workers = {
            name: (
                *(sys.executable, "-m", f"{here}.worker", str(assignment), str(number), str(self._port)),
                self._file,
                *self._spec.code_folders,
            )
            for number, name in enumerate(self._worker_names(), start=1)
        }
        return {MASTER: master, **workers}

    def _finish_senders(self) -> None:
        """End workers, then the master, which waits for what they report last."""
        workers = self._worker_names()
        for name in (*workers, CONTROL):
            self._processes[name].tell("finish")
        for name in (*workers, CONTROL):
            self._end(name)
        self._processes[MASTER].tell("finish")
        self._end(MASTER)

    def _worker_names(self) -> list[str]:
        return [worker_name(number) for number in range(1, self._workers + 1)]
