"""The provider of the keys is out of reach, or answers with garbage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from harness.model.protocols import Undo
from harness.targets.capabilities import KeyProviding


@dataclass(frozen=True)
class KmsUnavailable:
    """Nobody reaches the key provider for a while, or it answers with garbage.

    Of files, each cannot be opened, or holds garbage; over a link, connections are refused, or every request
    gets a 200 with bytes that mean nothing. It is put back as it was. Nothing is destroyed, so nothing is
    excused: a stack goes on with the key that it has, keeps what it cannot protect, or refuses it; it writes
    nothing in the clear.

    Args:
        answer: what whoever asks gets: `none`, an error; `garbage`, bytes that are no key.
    """

    answer: Literal["none", "garbage"] = "none"
    needs: ClassVar[type] = KeyProviding

    def undo(self, target: KeyProviding) -> Undo:
        """Name what to put back."""
        return target.undo_spoil() if self.answer == "garbage" else target.undo_hide()

    def inject(self, target: KeyProviding, rng: Random) -> AbstractContextManager[None]:
        """Put the keys out of reach, and give them back on exit."""
        return self._injected(target, rng)

    def evidence(self, target: KeyProviding) -> tuple[bool, str]:
        """Ask the provider: no key may be had from it."""
        return target.out_of_reach(), target.describe_provider()

    @contextmanager
    def _injected(self, target: KeyProviding, rng: Random) -> Iterator[None]:
        try:
            if self.answer == "garbage":
                target.spoil(rng)
            else:
                target.hide()
            yield
        finally:
            target.show()
