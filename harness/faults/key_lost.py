"""The files of a key provider are lost for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.protocols import Undo
from harness.targets.capabilities import KeyLosable


@dataclass(frozen=True)
class KeyLost:
    """A key file that somebody deleted: what it alone protects cannot be read ever again.

    Nothing is put back. A scenario says with `permits` how many files a step may destroy; what that may cost
    is bounded by the stack's promise `corruption_blast_records`, and the stack has to count it as destroyed.
    The application must go on, and nothing may be written in the clear.
    """

    needs: ClassVar[type] = KeyLosable

    def undo(self, target: KeyLosable) -> Undo:
        """Say that nothing can be taken back."""
        return target.undo_loss()

    def inject(self, target: KeyLosable, rng: Random) -> AbstractContextManager[None]:
        """Remove the files; leaving changes nothing."""
        return self._injected(target)

    def evidence(self, target: KeyLosable) -> tuple[bool, str]:
        """Look for the files: they must be gone."""
        lost = target.lost()
        return bool(lost), f"removed for good: {', '.join(lost)}" if lost else target.describe_provider()

    def destroyed(self, target: KeyLosable) -> list[str]:
        """Return the files that are gone now."""
        return [f"key file {name}" for name in target.lost()]

    @contextmanager
    def _injected(self, target: KeyLosable) -> Iterator[None]:
        target.lose()
        yield
