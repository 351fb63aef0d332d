"""A process is killed by SIGKILL and started again at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.protocols import Undo
from harness.targets.capabilities import Killable


@dataclass(frozen=True)
class Killed:
    """No shutdown, no flush: the process is gone between two instructions."""

    needs: ClassVar[type] = Killable

    def undo(self, target: Killable) -> Undo:
        """Name the process to start again."""
        return target.undo_kill()

    def inject(self, target: Killable, rng: Random) -> AbstractContextManager[None]:
        """Kill the process, and start it again on exit, with the same data and ports."""
        return self._injected(target)

    def evidence(self, target: Killable) -> tuple[bool, str]:
        """See that it is gone, and that it did not shut down cleanly."""
        return not target.alive() and not target.stopped_orderly(), target.describe_state()

    @contextmanager
    def _injected(self, target: Killable) -> Iterator[None]:
        target.kill()
        try:
            yield
        finally:
            target.restart()
