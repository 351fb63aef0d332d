"""What a fuzzed parser states of itself: where its inputs come from, and what it may do with any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


def unmended(body: bytes) -> bytes:
    """Return an input as the mutations left it."""
    return body


@dataclass(frozen=True, slots=True)
class Target:
    """A parser and its promise.

    Attributes:
        name: How the command line calls it.
        seeds: Makes whole, lawful inputs; the same ones every time, for a replay depends on them.
        check: Gives one input to the parser. True: it was taken, and every promise about the result was
            looked at; False: it was refused by the one documented error. Whatever it raises is a finding,
            `AssertionError` for a broken promise.
        json: Whether inputs are mostly JSON: whole values are then exchanged more often than bytes.
        words: Bytes with a meaning to the parser, inserted as they are.
        large_bytes: How large an input grows where one is repeated to see that time grows no faster.
        share: How many inputs it gets for one of another target; less where each takes long.
        mend: Makes checksums right again where a mutation broke them; done to half of the inputs.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    check: Callable[[bytes], bool]
    json: bool = False
    words: Sequence[bytes] = ()
    large_bytes: int = 256 * 1024
    share: float = 1.0
    mend: Callable[[bytes], bytes] = unmended
