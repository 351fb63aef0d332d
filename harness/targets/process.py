"""A process as a target: killed and started again with the same ports and data, or stopped for a while."""

from __future__ import annotations

import shlex
import signal
from typing import Protocol

from harness.model.errors import FaultError, StackError
from harness.model.protocols import Undo


class Restartable(Protocol):
    """What this target needs of the process it stands for; a deployment's managed process is one."""

    def start(self) -> None:
        """Start it, again after it ended; raises StackError."""
        ...

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once it serves; raises StackError where it does not within `timeout_seconds`."""
        ...

    def kill(self) -> None:
        """Kill it and return when it is gone; raises StackError."""
        ...

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to end, kill it after `timeout_seconds`, return when it is gone; raises StackError."""
        ...

    def alive(self) -> bool:
        """Tell whether it runs."""
        ...

    def stopped_orderly(self) -> bool:
        """Tell whether it shut down cleanly."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send what serves a signal; raises StackError where it does not run.

        Args:
            number: the signal; it goes to the server, not to its launcher.
        """
        ...

    def wait_state(self, states: str, timeout_seconds: float) -> str:
        """Return its state in /proc once it is one of these letters, or what it is after the timeout.

        Args:
            states: letters as in proc(5), such as `T` for stopped.
            timeout_seconds: after which whatever its state is then comes back.
        """
        ...

    def mark(self) -> str:
        """Return `pid:start time` of what serves."""
        ...

    @property
    def pid(self) -> int | None:
        """The pid of what serves."""
        ...


# proc(5): T stopped by a signal, t by a debugger; a process that goes on is in any of the others.
_STOPPED = "T"
_GOING = "RSDI"
_STATE_SECONDS = 2.0
STOP_SECONDS_MAX = 15.0


class ProcessTarget:
    """A process that faults can take hold of; implements Killable, Stoppable and Pausable.

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
            raise FaultError(f'target "{self.name}": it is not running, so there is nothing to kill')
        self._killed_pid = self._process.pid
        try:
            self._process.kill()
        except StackError as error:
            raise FaultError(f'target "{self.name}": {error}') from error

    def stop(self) -> None:
        """Ask it to end, kill it where it still runs after 15 s, and return when it is gone.

        Raises:
            FaultError: it does not run, or it survives.
        """
        if not self._process.alive():
            raise FaultError(f'target "{self.name}": it is not running, so there is nothing to stop')
        self._killed_pid = self._process.pid
        try:
            self._process.stop(STOP_SECONDS_MAX)
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
        """Tell whether it shut down cleanly instead of dying at the kill."""
        return self._process.stopped_orderly()

    def describe_state(self) -> str:
        """Return what can be seen of it from outside, for a person."""
        if self.paused():
            return f"pid {self._process.pid} is stopped (state {_STOPPED} in /proc)"
        if self.alive():
            return f"pid {self._process.pid} runs"
        if self._killed_pid is None:
            return "it does not run"
        ending = (
            "stopped by itself (clean shutdown)"
            if self.stopped_orderly()
            else "was killed (no clean shutdown)"
        )
        return f"pid {self._killed_pid} {ending}"

    def pause(self) -> None:
        """Stop it (SIGSTOP) and return when it stands.

        Raises:
            FaultError: it does not run, or it does not stand.
        """
        self._signal(signal.SIGSTOP, _STOPPED)

    def resume(self) -> None:
        """Let it go on (SIGCONT) and return when it does.

        Raises:
            FaultError: it is gone, or it stays put.
        """
        self._signal(signal.SIGCONT, _GOING)

    def paused(self) -> bool:
        """Tell whether the process that serves is stopped."""
        return self._process.wait_state(_STOPPED, 0.0) == _STOPPED

    def undo_pause(self) -> Undo:
        """Name the process by pid and start time, so that SIGCONT reaches it and no later one."""
        return Undo(
            "resume_process", {"process": self.name, "mark": self._process.mark(), "signal": "SIGCONT"}
        )

    def undo_kill(self) -> Undo:
        """Name the process, its pid and its command, by which it can be started again."""
        return Undo(
            "restart_process",
            {"process": self.name, "pid": self._process.pid or 0, "command": shlex.join(self._command)},
        )

    def _signal(self, number: signal.Signals, states: str) -> None:
        try:
            self._process.send(number)
        except StackError as error:
            raise FaultError(f'target "{self.name}": {error}') from error
        seen = self._process.wait_state(states, _STATE_SECONDS)
        if seen not in states:
            raise FaultError(
                f'target "{self.name}": pid {self._process.pid} is in state {seen!r} of /proc after '
                f"{number.name}, not in one of {states!r}"
            )
