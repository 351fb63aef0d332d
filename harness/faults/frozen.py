"""A process stands still: it keeps its connections and answers nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.protocols import Undo
from harness.targets.capabilities import Pausable


@dataclass(frozen=True)
class Frozen:
    """It goes on with SIGCONT at the end.

    The kernel goes on accepting connections and bytes for it: a long garbage collection, a virtual machine
    that is moved, a debugger left attached.
    """

    needs: ClassVar[type] = Pausable

    def undo(self, target: Pausable) -> Undo:
        """Name the process to let go on."""
        return target.undo_pause()

    def inject(self, target: Pausable, rng: Random) -> AbstractContextManager[None]:
        """Stop the process, and let it go on at exit."""
        return self._injected(target)

    def evidence(self, target: Pausable) -> tuple[bool, str]:
        """See in /proc that it stands."""
        return target.paused(), target.describe_state()

    @contextmanager
    def _injected(self, target: Pausable) -> Iterator[None]:
        target.pause()
        try:
            yield
        finally:
            target.resume()
