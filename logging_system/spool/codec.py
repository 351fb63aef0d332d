"""Turns a block's payload into the bytes that are stored, and back: the seam where encryption enters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Codec(Protocol):
    """One stored form of a payload, named in the block header by its number."""

    @property
    def number(self) -> int:
        """The codec byte of the block header, 0 to 255."""

    def encode(self, payload: bytes) -> bytes:
        """Return the bytes to store for `payload`."""

    def decode(self, stored: bytes) -> bytes:
        """Return the payload of `stored`.

        Raises:
            ValueError: The bytes pass their checksum and yet are not of this codec.
        """


class PlainCodec:
    """Stores the payload as it is."""

    number = 0

    def encode(self, payload: bytes) -> bytes:
        """Return `payload` itself."""
        return payload

    def decode(self, stored: bytes) -> bytes:
        """Return `stored` itself."""
        return stored


PLAIN = PlainCodec()
CODECS: Mapping[int, Codec] = {PLAIN.number: PLAIN}
