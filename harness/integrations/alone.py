"""Room on the machine: a scenario that runs alone has it to itself, among all workers of a session."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from harness.model.errors import UnavailableError

WAIT_SECONDS_MAX = 3_600.0
_POLL_SECONDS = 0.1


class Room:
    """A lock that many share or one has alone; one process may hold it once.

    Args:
        path: the file that all workers of the session lock; None where there are no others.
        wait_seconds_max: how long to wait for the others.
    """

    def __init__(self, path: Path | None, wait_seconds_max: float = WAIT_SECONDS_MAX) -> None:
        self._path = path
        self._wait_seconds_max = wait_seconds_max
        self._file: int | None = None

    def enter(self, *, alone: bool) -> None:
        """Wait until there is room.

        Args:
            alone: wait until all others have left and keep them out; else only until nobody is alone in it.

        Raises:
            UnavailableError: the others have not left it in time.
        """
        if self._path is None or self._file is not None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        except BaseException:
            os.close(descriptor)
            raise
        self._file = descriptor

    def leave(self) -> None:
        """Make room for others; harmless where there is nobody to make room for."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _wait(self, descriptor: int, kind: int) -> None:
        until = time.monotonic() + self._wait_seconds_max
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise UnavailableError(
                        f"{self._path}: other workers have used this machine for "
                        f"{self._wait_seconds_max:g} s; run the scenarios without -n"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return
