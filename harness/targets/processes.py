"""Several processes as one target: hurt together, and started again together."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.protocols import Undo
from harness.targets.process import ProcessTarget


class ProcessesTarget:
    """Processes of which a fault takes hold all at once; implements Killable and Stoppable.

    Args:
        targets: the processes; at least one.
    """

    def __init__(self, targets: Sequence[ProcessTarget]) -> None:
        self._targets = targets

    def kill(self) -> None:
        """Kill all of them (SIGKILL) and return when they are gone; raises FaultError."""
        for target in self._targets:
            target.kill()

    def stop(self) -> None:
        """Ask one after the other to end, and return when all are gone; raises FaultError."""
        for target in self._targets:
            target.stop()

    def restart(self) -> None:
        """Start them again and return when all serve; raises FaultError."""
        for target in self._targets:
            target.restart()

    def alive(self) -> bool:
        """Tell whether any of them runs."""
        return any(target.alive() for target in self._targets)

    def stopped_orderly(self) -> bool:
        """Tell whether all of them shut down cleanly."""
        return all(target.stopped_orderly() for target in self._targets)

    def describe_state(self) -> str:
        """Return what can be seen of each from outside, for a person."""
        return "; ".join(f"{target.name}: {target.describe_state()}" for target in self._targets)

    def undo_kill(self) -> Undo:
        """Name the processes to start again."""
        return Undo("restart_process", {"process": ", ".join(target.name for target in self._targets)})
