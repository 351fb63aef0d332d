"""A process is ended cleanly and started again at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.protocols import Undo
from harness.targets.capabilities import Stoppable


@dataclass(frozen=True)
class Stopped:
    """A deployment, a restart: the process is asked to end and has time for it, so nothing excuses a loss.

    A process of the stack is asked by SIGTERM; the application closes its handler and ends.
    """

    needs: ClassVar[type] = Stoppable

    def undo(self, target: Stoppable) -> Undo:
        """Name the process to start again."""
        return target.undo_kill()

    def inject(self, target: Stoppable, rng: Random) -> AbstractContextManager[None]:
        """Let the process end, and start it again on exit, with the same data and ports."""
        return self._injected(target)

    def evidence(self, target: Stoppable) -> tuple[bool, str]:
        """See that it is gone, and that nobody had to kill it."""
        return not target.alive() and target.stopped_orderly(), target.describe_state()

    @contextmanager
    def _injected(self, target: Stoppable) -> Iterator[None]:
        target.stop()
        try:
            yield
        finally:
            target.restart()
