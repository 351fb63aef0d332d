"""Turns a block's payload into the bytes that are stored, and back: the seam where encryption enters.

Everybody who opens a spool is handed one `Codecs`: what new blocks are stored with, and all that can be read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

CODEC_NUMBER_MAX = 253
"""Higher numbers are marks."""

pack_associated = struct.Struct("<16sB3xQI").pack
"""Of epoch, codec, first sequence and count of a block makes its `BlockContext.associated_data`."""


class UnavailableError(Exception):
    """A block is whole, and what is needed to read it is not here; it may come later.

    Attributes:
        missing: What is needed, such as "key k7:3".
        reason: Why it is not here, in a word, for counters.
    """

    def __init__(self, missing: str, reason: str = "missing") -> None:
        super().__init__(f"{missing} is not available")
        self.missing = missing
        self.reason = reason


class KeyUnavailableError(UnavailableError):
    """A codec has not got the key it needs, to encode or to decode.

    Args:
        key_id: Which key; nothing secret.
        reason: Why it is not here: `missing`, `unavailable`, `refused`, `retired`, `invalid`.
    """

    def __init__(self, key_id: str, reason: str = "missing") -> None:
        super().__init__(f"key {key_id}", reason)


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What a block's header says of it before its payload is stored.

    Attributes:
        epoch: The writer's 16 bytes.
        codec: The number of the codec.
        first_sequence: Sequence of the first record.
        count: How many records it holds.
    """

    epoch: bytes
    codec: int
    first_sequence: int
    count: int

    @property
    def associated_data(self) -> bytes:
        """The bytes to be authenticated: the epoch, and bytes 12 to 27 of the block header.

        The rest of the header is its marker, and length and checksum of what the codec returns. The segment
        is not in it: a block whose sync failed is written again into the next one.
        """
        return pack_associated(self.epoch, self.codec, self.first_sequence, self.count)


class Codec(Protocol):
    """One stored form of a payload, named in the block header by its number.

    A codec with keys puts the key's id into the bytes it returns, in a header of its own, so that keys can
    change from block to block. One that belongs to a data stream is made with its name, and authenticates it
    before `associated_data`.
    """

    @property
    def number(self) -> int:
        """The codec byte of the block header, 0 to 253."""

    def encode(self, payload: bytes, context: BlockContext) -> tuple[bytes, ...]:
        """Return what to store for `payload`, in parts that follow one another, so that none is copied.

        Raises:
            KeyUnavailableError: There is no key now; nothing may be stored without.
        """

    def decode(self, stored: bytes, context: BlockContext) -> bytes:
        """Return the payload of `stored`.

        Raises:
            ValueError: The bytes pass their checksum and yet are not of this codec, or not of this block:
                they are damaged, or somebody changed them. Also where their key was destroyed for good.
            KeyUnavailableError: Their key is not here now; the block is kept, and tried again.
        """


class PlainCodec:
    """Stores the payload as it is."""

    number = 0

    def encode(self, payload: bytes, _context: BlockContext) -> tuple[bytes, ...]:
        """Return `payload` itself."""
        return (payload,)

    def decode(self, stored: bytes, _context: BlockContext) -> bytes:
        """Return `stored` itself."""
        return stored


@dataclass(frozen=True, slots=True)
class Codecs:
    """The stored forms of a spool's blocks, made by `Codecs.of`.

    Attributes:
        writing: What new blocks are stored with.
        reading: All that can be read, by number.
        idle: Called once a second at least while there is nothing to store or read: others may wait for a
            sign of whoever has keys.
    """

    writing: Codec
    reading: Mapping[int, Codec]
    idle: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, writing: Codec, *also_read: Codec, idle: Callable[[], None] = lambda: None) -> Codecs:
        """Return codecs.

        Args:
            writing: What new blocks are stored with; it is read too.
            also_read: What older blocks were stored with.
            idle: See above.

        Raises:
            ValueError: Two have one number, or a number is not 0 to 253.
        """
        every = (writing, *also_read)
        reading = {codec.number: codec for codec in every}
        if len(reading) != len(every) or not all(0 <= number <= CODEC_NUMBER_MAX for number in reading):
            raise ValueError(f"codecs have numbers of their own, 0 to {CODEC_NUMBER_MAX}")
        return cls(writing, reading, idle)


PLAIN = PlainCodec()
PLAIN_CODECS = Codecs.of(PLAIN)
