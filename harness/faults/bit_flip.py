"""Single bits of what a stack keeps on disk turn over, and stay so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Corruptible

PLACES_MAX = 1_000
_SHOWN_MAX = 3


@dataclass(frozen=True)
class BitFlip:
    """One bit in each of `places` bytes, drawn from a part of the target's files.

    The files count as one, the least recently changed first: `from_share` 0.5 leaves their older half alone.
    Bytes that the stack has already read are missed by nobody, so the part should be what it still needs.
    Nothing is taken back: the scenario says with `permits` in how many places a step may destroy something.

    Args:
        places: in how many bytes one bit is flipped, from 1 to 1,000.
        from_share: where the part begins, as a share of all bytes of the files, from 0 to 1.
        to_share: where the part ends, as a share of all bytes of the files, from 0 to 1.
    """

    places: int = 1
    from_share: float = 0.0
    to_share: float = 1.0
    needs: ClassVar[type] = Corruptible

    def __post_init__(self) -> None:
        """Refuse what is no number of places and no part.

        Raises:
            ScenarioError: a value is out of range.
        """
        if not 1 <= self.places <= PLACES_MAX:
            raise ScenarioError(f"places {self.places} is not in 1 to {PLACES_MAX:,}")
        if not 0 <= self.from_share < self.to_share <= 1:
            raise ScenarioError(
                f"from_share {self.from_share:g} to to_share {self.to_share:g} is no part; write shares "
                "from 0 to 1, the smaller first"
            )

    def undo(self, target: Corruptible) -> Undo:
        """Say that there is nothing to take back."""
        return target.undo_flip()

    def inject(self, target: Corruptible, rng: Random) -> AbstractContextManager[None]:
        """Flip the bits; leaving changes nothing."""
        return self._injected(target, rng)

    def evidence(self, target: Corruptible) -> tuple[bool, str]:
        """Read the bytes again: every one that was asked for must be there, changed."""
        places = self.destroyed(target)
        if not places:
            return False, f"no byte was changed: {target.describe_files()}"
        more = len(places) - _SHOWN_MAX
        said = "; ".join(places[:_SHOWN_MAX]) + (f"; and {more:,} more" if more > 0 else "")
        return len(places) >= self.places, f"{len(places):,} of {self.places:,} bytes read again: {said}"

    def destroyed(self, target: Corruptible) -> list[str]:
        """Return the places, as they are read again now."""
        return [
            f"{flip.file}, byte {flip.offset_bytes:,}: 0x{flip.before:02x} → 0x{flip.after:02x}"
            for flip in target.flipped()
        ]

    @contextmanager
    def _injected(self, target: Corruptible, rng: Random) -> Iterator[None]:
        target.flip_bits(self.places, self.from_share, self.to_share, rng)
        yield
