"""The disk of a stack's files has no room left for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Fillable

DISK_MIB_MAX = 1_024


@dataclass(frozen=True)
class DiskFull:
    """Something else has taken the last byte: writing fails with ENOSPC, and what becomes free is taken too.

    The target's folder is on a small disk of its own from the start of the scenario, which only a privileged
    process can mount; where it could not be, the step is skipped and says what to do. Nothing is destroyed,
    so nothing is excused: what the disk did not take must not be acknowledged at `write` or `fsync`.

    Args:
        disk_mib: the size of that disk in MiB, from 1 to 1,024; it must hold what the stack keeps before.
    """

    disk_mib: int = 32
    needs: ClassVar[type] = Fillable

    def __post_init__(self) -> None:
        """Refuse a size that is none.

        Raises:
            ScenarioError: it is out of range.
        """
        if not 1 <= self.disk_mib <= DISK_MIB_MAX:
            raise ScenarioError(f"disk_mib {self.disk_mib} is not in 1 to {DISK_MIB_MAX:,}")

    def undo(self, target: Fillable) -> Undo:
        """Say how to get the room back."""
        return target.undo_fill()

    def inject(self, target: Fillable, rng: Random) -> AbstractContextManager[None]:
        """Fill the disk, and give the room back on exit."""
        return self._injected(target)

    def evidence(self, target: Fillable) -> tuple[bool, str]:
        """Try to write to the disk: it must refuse."""
        full = target.full()
        said = "is refused with ENOSPC" if full else "is taken"
        return full, f"a block written to the disk {said}; {target.describe_disk()}"

    @contextmanager
    def _injected(self, target: Fillable) -> Iterator[None]:
        try:
            target.fill()
            yield
        finally:
            target.empty()
