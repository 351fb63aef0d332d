"""The folder a stack keeps its data in is gone while it runs, and comes back at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.protocols import Undo
from harness.targets.capabilities import Movable


@dataclass(frozen=True)
class FolderGone:
    """A volume that is not mounted any more, a folder that somebody moved: its name leads nowhere.

    The folder is moved aside and put back with all that is in it, also with what is written meanwhile by who
    has a file in it open. So nothing is destroyed, and nothing is excused: `memory` promises that a record
    survives in the process, which goes on; `write` and `fsync` promise that it is on disk, where it is again
    at the end. What a stack acknowledges while it can open no file, it must have kept some other way.
    """

    needs: ClassVar[type] = Movable

    def undo(self, target: Movable) -> Undo:
        """Name the folders to put back."""
        return target.undo_take_away()

    def inject(self, target: Movable, rng: Random) -> AbstractContextManager[None]:
        """Take the folders away, and put them back on exit."""
        return self._injected(target)

    def evidence(self, target: Movable) -> tuple[bool, str]:
        """Try to enter each folder: none may be there, and each must lie elsewhere."""
        return target.gone(), target.describe_folders()

    @contextmanager
    def _injected(self, target: Movable) -> Iterator[None]:
        try:
            target.take_away()
            yield
        finally:
            target.put_back()
