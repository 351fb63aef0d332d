"""The version of the keys in use is revoked for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

from harness.model.protocols import Undo
from harness.targets.capabilities import KeyRevocable, KeyVersion


@dataclass
class KeyRevoked:
    """Somebody else may know the key, so the stack's own command revokes it: what it alone protects is gone.

    A scenario says with `permits` how many versions may cost something; what that may cost is bounded by the
    stack's promise `corruption_blast_records`, and the stack has to count it as destroyed. A stack that wraps
    what it needs anew before it revokes loses nothing.
    """

    needs: ClassVar[type] = KeyRevocable
    _versions: list[KeyVersion] = field(default_factory=list, init=False, repr=False)

    def undo(self, target: KeyRevocable) -> Undo:
        """Say that nothing can be taken back."""
        return target.undo_rotation()

    def inject(self, target: KeyRevocable, rng: Random) -> AbstractContextManager[None]:
        """Revoke the version in use; leaving changes nothing."""
        return self._injected(target)

    def evidence(self, target: KeyRevocable) -> tuple[bool, str]:
        """Compare what the stack says of its keys with what it said before: the version must have risen."""
        if len(self._versions) < 2:
            return False, f"no version was revoked: {target.key_version().said}"
        before, after = self._versions
        return after.number > before.number, f"version {before.number} before, {after.number} after"

    def destroyed(self, target: KeyRevocable) -> list[str]:
        """Return the version that was revoked."""
        return [f"key version {before.number}" for before in self._versions[:1] if len(self._versions) > 1]

    @contextmanager
    def _injected(self, target: KeyRevocable) -> Iterator[None]:
        self._versions = [target.key_version()]
        target.revoke()
        self._versions.append(target.key_version())
        yield
