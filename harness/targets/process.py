"""A process as a target: it can be killed, and started again with the same ports and data."""

from __future__ import annotations

import shlex
from typing import Protocol

from harness.errors import FaultError, StackError
from harness.protocols import Undo


class Restartable(Protocol):
    """What this target needs of the process it stands for; a deployment's managed process is one."""

    def start(self) -> None:
        """Start it, again after it ended; raises StackError."""
        ...

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once it serves; raises StackError."""
        ...

    def kill(self) -> None:
        """Kill it and return when it is gone; raises StackError."""
        ...

    def alive(self) -> bool:
        """Tell whether it runs."""
        ...

    def stopped_orderly(self) -> bool:
        """Tell whether it stopped in good order."""
        ...

    @property
    def pid(self) -> int | None:
        """The pid of what serves."""
        ...


class ProcessTarget:
    """A process that faults can take hold of; implements Killable.

    Args:
        name: how scenarios call it.
        command: its argument list, for a person who has to start it by hand.
        process: the process itself.
        ready_seconds: how long it may take to serve again after a restart.
    """

    def __init__(
        self, name: str, command: tuple[str, ...], process: Restartable, ready_seconds: float
    ) -> None:
        self.name = name
        self._command = command
        self._process = process
        self._ready_seconds = ready_seconds
        self._killed_pid: int | None = None

    def kill(self) -> None:
        """Kill it (SIGKILL) and return when it is gone.

        Raises:
            FaultError: it does not run, or it survives.
        """
        if not self._process.alive():
            raise FaultError(f'target "{self.name}": it does not run, so it cannot be killed')
        self._killed_pid = self._process.pid
        try:
            self._process.kill()
        except StackError as error:
            raise FaultError(f'target "{self.name}": {error}') from error

    def restart(self) -> None:
        """Start it again and return when it serves.

        Raises:
            FaultError: it does not start or does not serve in time.
        """
        try:
            self._process.start()
            self._process.wait_ready(self._ready_seconds)
        except StackError as error:
            raise FaultError(f'target "{self.name}" did not come back: {error}') from error

    def alive(self) -> bool:
        """Tell whether the process that serves runs."""
        return self._process.alive()

    def stopped_orderly(self) -> bool:
        """Tell whether it went down in good order instead of dying at the kill."""
        return self._process.stopped_orderly()

    def describe_state(self) -> str:
        """Return what can be seen of it from outside, for a person."""
        if self.alive():
            return f"pid {self._process.pid} runs"
        if self._killed_pid is None:
            return "it does not run"
        ending = "it stopped in good order" if self.stopped_orderly() else "it did not stop in good order"
        return f"pid {self._killed_pid} is gone, {ending}"

    def undo_kill(self) -> Undo:
        """Name the process, its pid and its command, by which it can be started again."""
        return Undo(
            "restart_process",
            {"process": self.name, "pid": self._process.pid or 0, "command": shlex.join(self._command)},
        )
