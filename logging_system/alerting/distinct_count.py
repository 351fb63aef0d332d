"""About how many different things there were, in a fixed 32 KiB: linear counting.

A thing sets one bit of many by its hash; from the share of bits that are still clear follows how many things
there were. Exact within 1 % up to a million; more are counted as the most that can be told.

Whang, Vander-Zanden, Taylor: A linear-time probabilistic counting algorithm for database applications (1990).
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from hashlib import blake2b

_BITS = 1 << 18


class DistinctCount:
    """Counts different things; empty, it takes no room."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._set = 0

    def add(self, thing: bytes) -> None:
        """Take note of a thing."""
        if not self._bits:
            self._bits = bytearray(_BITS // 8)
        place = int.from_bytes(blake2b(thing, digest_size=8).digest(), "big") % _BITS
        bit = 1 << (place & 7)
        if not self._bits[place >> 3] & bit:
            self._bits[place >> 3] |= bit
            self._set += 1

    def total(self) -> int:
        """Return how many different things there were, about."""
        return round(-_BITS * math.log(max(_BITS - self._set, 1) / _BITS))

    def clear(self) -> None:
        """Begin anew."""
        self._bits, self._set = bytearray(), 0

    def content(self) -> str:
        """Return what `restore` takes."""
        return b64encode(self._bits).decode()

    def restore(self, content: str) -> None:
        """Go on with what `content` returned."""
        self._bits = bytearray(b64decode(content))
        self._set = int.from_bytes(self._bits, "big").bit_count()
