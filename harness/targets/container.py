"""A container as a target: killed and started again with the same ports and data, stopped, or frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.model.errors import FaultError, StackError
from harness.model.protocols import Undo
from harness.targets.process import STOP_SECONDS_MAX


class Freezable(Protocol):
    """What this target needs of the container it stands for; a deployment's managed container is one."""

    @property
    def id(self) -> str:
        """Its id with the daemon."""
        ...

    def start(self) -> None:
        """Start it again after it ended; raises StackError."""
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

    def pause(self) -> None:
        """Freeze it; raises StackError."""
        ...

    def resume(self) -> None:
        """Let it go on; raises StackError."""
        ...

    def alive(self) -> bool:
        """Tell whether it runs, frozen or not."""
        ...

    def paused(self) -> bool:
        """Tell whether it is frozen."""
        ...

    def stopped_orderly(self) -> bool:
        """Tell whether it shut down rather than dying of SIGKILL."""
        ...

    def describe(self) -> str:
        """Return what the daemon says of its state."""
        ...


class ContainerTarget:
    """A container that faults can take hold of; implements Killable, Stoppable and Pausable.

    Args:
        name: how scenarios call it.
        container: the container itself.
        ready_seconds: how long it may take to serve again after a restart.
    """

    def __init__(self, name: str, container: Freezable, ready_seconds: float) -> None:
        self.name = name
        self._container = container
        self._ready_seconds = ready_seconds

    def kill(self) -> None:
        """Kill its processes (SIGKILL to the first, which ends all) and return when they are gone.

        Raises:
            FaultError: it does not run, or it survives.
        """
        self._require_alive("kill")
        self._done(self._container.kill)

    def stop(self) -> None:
        """Ask it to end, let Docker kill it where it still runs after 15 s, and return when it is gone.

        Raises:
            FaultError: it does not run, or it survives.
        """
        self._require_alive("stop")
        self._done(lambda: self._container.stop(STOP_SECONDS_MAX))

    def restart(self) -> None:
        """Start the same container again and return when it serves.

        Raises:
            FaultError: it does not start or does not serve in time.
        """
        try:
            self._container.start()
            self._container.wait_ready(self._ready_seconds)
        except StackError as error:
            raise FaultError(f'target "{self.name}" did not come back: {error}') from error

    def alive(self) -> bool:
        """Tell whether it runs, frozen or not."""
        return self._container.alive()

    def stopped_orderly(self) -> bool:
        """Tell whether it shut down cleanly instead of dying at the kill."""
        return self._container.stopped_orderly()

    def describe_state(self) -> str:
        """Return what Docker says of its state, for a person."""
        return self._container.describe()

    def pause(self) -> None:
        """Freeze all its processes (the control group's freezer) and return when they stand.

        Raises:
            FaultError: it does not run, or it does not stand.
        """
        self._require_alive("freeze")
        self._done(self._container.pause)

    def resume(self) -> None:
        """Let it go on.

        Raises:
            FaultError: it is gone, or it stays put.
        """
        self._done(self._container.resume)
        if not self._container.alive():
            raise FaultError(f'target "{self.name}": {self._container.describe()}, so nothing goes on')

    def paused(self) -> bool:
        """Tell whether it is frozen."""
        return self._container.paused()

    def undo_pause(self) -> Undo:
        """Name the container by its id, which no later one has."""
        return Undo("resume_container", {"service": self.name, "container": self._container.id})

    def undo_kill(self) -> Undo:
        """Name the container, which can be started again as it was."""
        return Undo(
            "restart_process",
            {"process": self.name, "command": f"docker start {self._container.id}"},
        )

    def _require_alive(self, what: str) -> None:
        if not self._container.alive():
            raise FaultError(f'target "{self.name}": it is not running, so there is nothing to {what}')

    def _done(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StackError as error:
            raise FaultError(f'target "{self.name}": {error}') from error
