"""The search of a stream for canaries: piece by piece, in bounded memory, what is packed in it unpacked."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol

from harness.evidence.secrets.needles import Needle, Needles

PIECE_BYTES = 1 << 20

UNPACKED_BYTES_MAX = 64 << 20
"""How much of one packed stream is looked at: a bomb must not hold a run up."""

_OPEN_MAX = 32
_DEPTH_MAX = 2
_HEAD_BYTES_MAX = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """Half of a secret: where it begins, in bytes from the start; `packed` says what it was packed in."""

    at_byte: int
    needle: Needle
    packed: str = ""

    @property
    def encoding(self) -> str:
        """Return the form it was found in, for a person."""
        return f"{self.needle.encoding}, within {self.packed}" if self.packed else self.needle.encoding


class Unpacker(Protocol):
    """Unpacks one stream as it comes; the interface of `zlib.decompressobj`, as far as it is used."""

    def decompress(self, data: bytes) -> bytes:
        """Return what these bytes hold; raises where they are no such stream.

        Args:
            data: the next bytes of the packed stream, in order; it may end anywhere in it.
        """
        ...

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...


def _new_zlib() -> Unpacker:
    return _Bounded(zlib.decompressobj(wbits=zlib.MAX_WBITS | 32))


class _Bounded:
    """zlib, which would make a gigabyte of a megabyte at once."""

    def __init__(self, unpacker: Any) -> None:
        self._unpacker = unpacker

    def decompress(self, data: bytes) -> bytes:
        plain: bytes = self._unpacker.decompress(data, UNPACKED_BYTES_MAX)
        return plain

    @property
    def eof(self) -> bool:
        return bool(self._unpacker.eof or self._unpacker.unconsumed_tail)


def _zstd() -> Callable[[], Unpacker] | None:
    """Return what unpacks zstd: the standard library's own from 3.14 on, or the package of that name."""
    for name in ("compression.zstd", "zstandard"):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        return partial(_new_zstd, module)
    return None


def _new_zstd(module: Any) -> Unpacker:
    unpacker: Any = module.ZstdDecompressor()
    made: Unpacker = unpacker.decompressobj() if hasattr(unpacker, "decompressobj") else unpacker
    return made


@cache
def packings() -> Mapping[bytes, tuple[str, Callable[[], Unpacker]]]:
    """Return the first bytes of each packing that can be unpacked here, with its name and how."""
    known: dict[bytes, tuple[str, Callable[[], Unpacker]]] = {b"\x1f\x8b\x08": ("gzip", _new_zlib)}
    known |= dict.fromkeys((b"x\x01", b"x\x9c", b"x\xda"), ("zlib", _new_zlib))
    if (zstd := _zstd()) is not None:
        known[b"\x28\xb5\x2f\xfd"] = ("zstd", zstd)
    return known


@dataclass(slots=True)
class _Packed:
    """A packed stream within another one, unpacked as its bytes come."""

    name: str
    at_byte: int
    unpacker: Unpacker
    search: Stream
    is_over: bool = False

    def feed(self, data: bytes) -> Iterator[Hit]:
        try:
            plain = self.unpacker.decompress(data)
            self.is_over = self.unpacker.eof
        except Exception:  # these bytes are no packed stream after all, or are damaged from here on
            self.is_over = True
            return
        for hit in self.search.feed(plain):
            yield Hit(self.at_byte, hit.needle, f"{self.name}, {hit.packed}" if hit.packed else self.name)
        self.is_over = self.is_over or self.search.at_byte > UNPACKED_BYTES_MAX


class Stream:
    """One stream of bytes, searched as it comes; what was split between two pieces is found as well.

    Args:
        needles: what is looked for.
        depth: how deep packed streams may lie in each other.
        at_byte: how much of it came before.
    """

    def __init__(self, needles: Needles, depth: int = _DEPTH_MAX, at_byte: int = 0) -> None:
        self.at_byte = at_byte
        self._needles = needles
        self._depth = depth
        self._tail = b""
        self._open: list[_Packed] = []
        self._packings = packings() if depth else {}

    def feed(self, data: bytes) -> Iterator[Hit]:
        """Yield what is found, now that these bytes have come.

        Args:
            data: the next bytes, any number; a needle may be parted between two calls.
        """
        for at in range(0, len(data), PIECE_BYTES):
            yield from self._feed(data[at : at + PIECE_BYTES])

    def _feed(self, piece: bytes) -> Iterator[Hit]:
        joined, known = self._tail + piece, len(self._tail)
        offset = self.at_byte - known
        for begin, end, needle in self._needles.hits(joined):
            if end > known:
                yield Hit(offset + begin, needle)
        for packed in self._open:
            yield from packed.feed(piece)
        self._open = [packed for packed in self._open if not packed.is_over]
        for begin, name, make in self._heads(joined, known):
            packed = _Packed(name, offset + begin, make(), Stream(self._needles, self._depth - 1))
            yield from packed.feed(joined[begin:])
            if not packed.is_over and len(self._open) < _OPEN_MAX:
                self._open.append(packed)
        self.at_byte += len(piece)
        self._tail = joined[-max(self._needles.bytes_max - 1, _HEAD_BYTES_MAX) :]

    def _heads(self, joined: bytes, known: int) -> Iterator[tuple[int, str, Callable[[], Unpacker]]]:
        """Yield where packed streams may begin whose first bytes were not all there before."""
        for head, (name, make) in self._packings.items():
            at = joined.find(head, max(0, known - len(head) + 1))
            while at >= 0:
                yield at, name, make
                at = joined.find(head, at + 1)
