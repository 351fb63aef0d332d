"""Encodes and reads the bytes of a segment: file header and blocks (layout: `logging_system.spool`)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import google_crc32c

from logging_system.spool.codec import PLAIN_CODECS, BlockContext, Codecs, UnavailableError

FORMAT_VERSION = 1
MAGIC = b"LSSPOOL\0"
MARKER = b"\xb1LBK"
BLOCK_BYTES_MAX = 32 * 1024 * 1024
"""No stored payload is larger; a reader never reserves more for one block, whatever a header claims."""

SEQUENCE_MAX = 2**48
"""No writer lives long enough for more; a header that claims more is damage."""
VOID = 255
"""Codec byte of a mark: the sequences it names were refused to the caller and will not come.

With a count of 0 it closes a sealed segment: every sequence before it was written."""
EVICTED = 254
"""Codec byte of a mark: the sequences it names were in the spool and gave way to newer ones."""

_FILE = struct.Struct("<8sHHI16sQ")
_BLOCK = struct.Struct("<4sIIB3xQI")
_U32 = struct.Struct("<I")
FILE_HEADER_BYTES = _FILE.size + _U32.size
BLOCK_HEADER_BYTES = _BLOCK.size + _U32.size


class FrameError(ValueError):
    """A payload passes its checksum and still cannot be taken apart into records."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What a segment says of itself before its first block."""

    epoch: bytes
    index: int
    first_sequence: int
    version: int = FORMAT_VERSION

    @property
    def is_newer(self) -> bool:
        """Whether only a newer version of this package can read the segment."""
        return self.version > FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What a block says of its payload."""

    length: int
    checksum: int
    codec: int
    first_sequence: int
    count: int

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole block: header and stored payload."""
        return BLOCK_HEADER_BYTES + self.length

    @property
    def end_sequence(self) -> int:
        """The sequence after the last one of the block."""
        return self.first_sequence + self.count

    @property
    def is_mark(self) -> bool:
        """Whether the block states something about sequences and holds no record."""
        return self.codec in (VOID, EVICTED) and self.length == 0


def encode_file_header(header: FileHeader) -> bytes:
    """Return the 44 bytes that open a segment."""
    body = _FILE.pack(MAGIC, header.version, 0, header.index, header.epoch, header.first_sequence)
    return body + _U32.pack(google_crc32c.value(body))


def decode_file_header(data: bytes) -> FileHeader | None:
    """Return the header that `data` opens with, or None where it is short, damaged or of another format.

    Every version keeps this header and its checksum: so an older reader can tell a newer segment from damage.
    """
    if len(data) < FILE_HEADER_BYTES:
        return None
    body = data[: _FILE.size]
    (checksum,) = _U32.unpack_from(data, _FILE.size)
    magic, version, _reserved, index, epoch, first_sequence = _FILE.unpack(body)
    if magic != MAGIC or version < 1 or first_sequence > SEQUENCE_MAX:
        return None
    if checksum != google_crc32c.value(body):
        return None
    return FileHeader(epoch, index, first_sequence, version)


def encode_block(
    epoch: bytes, first_sequence: int, documents: Sequence[bytes], codecs: Codecs = PLAIN_CODECS
) -> bytes:
    """Return one block holding `documents` under consecutive sequences.

    Args:
        epoch: The writer's 16 bytes; mixed into the header's checksum.
        first_sequence: Sequence of `documents[0]`.
        documents: The records, each already encoded.
        codecs: How the payload is stored.

    Raises:
        FrameError: The stored payload would exceed `BLOCK_BYTES_MAX`.
        KeyUnavailableError: The codec has no key now.
    """
    parts = [b""] * (2 * len(documents))
    parts[::2] = map(_U32.pack, map(len, documents))
    parts[1::2] = documents
    codec = codecs.writing
    context = BlockContext(epoch, codec.number, first_sequence, len(documents))
    stored = codec.encode(b"".join(parts), context)
    size_bytes = sum(map(len, stored))
    if size_bytes > BLOCK_BYTES_MAX:
        raise FrameError(f"a block of {size_bytes} bytes exceeds {BLOCK_BYTES_MAX}; put fewer records in it")
    header = _encode_block_header(epoch, stored, codec.number, first_sequence, len(documents))
    return b"".join((header, *stored))


def encode_mark(epoch: bytes, kind: int, first_sequence: int, count: int) -> bytes:
    """Return a block without records that states the outcome of `count` sequences.

    Args:
        epoch: The writer's 16 bytes.
        kind: `VOID` or `EVICTED`.
        first_sequence: The first sequence it is about; all before it were written.
        count: How many; 0 ends a sealed segment.
    """
    return _encode_block_header(epoch, (), kind, first_sequence, count)


def _encode_block_header(
    epoch: bytes, stored: Sequence[bytes], codec: int, first_sequence: int, count: int
) -> bytes:
    checksum = 0
    for part in stored:
        checksum = google_crc32c.extend(checksum, part)
    header = _BLOCK.pack(MARKER, sum(map(len, stored)), checksum, codec, first_sequence, count)
    return header + _U32.pack(google_crc32c.extend(google_crc32c.value(epoch), header))


def decode_block_header(epoch: bytes, data: bytes, offset: int = 0) -> BlockHeader | None:
    """Return the block header at `offset` of `data`, or None where there is no valid one.

    Args:
        epoch: The writer's 16 bytes; with those of another writer no header is valid.
        data: Bytes of a segment.
        offset: Where in `data` the header begins.
    """
    if len(data) - offset < BLOCK_HEADER_BYTES or data[offset : offset + 4] != MARKER:
        return None
    body = data[offset : offset + _BLOCK.size]
    (checksum,) = _U32.unpack_from(data, offset + _BLOCK.size)
    if checksum != google_crc32c.extend(google_crc32c.value(epoch), body):
        return None
    _marker, length, payload_checksum, codec, first_sequence, count = _BLOCK.unpack(body)
    if length > BLOCK_BYTES_MAX or first_sequence + count > SEQUENCE_MAX:
        return None
    return BlockHeader(length, payload_checksum, codec, first_sequence, count)


def find_block(epoch: bytes, data: bytes, start: int) -> int | None:
    """Return the offset of the first valid block header of `data` at or after `start`, if there is one.

    Args:
        epoch: The writer's 16 bytes.
        data: Bytes of a segment; a header that is cut off at its end is not found.
        start: Where in `data` to begin.
    """
    position = data.find(MARKER, start)
    while position >= 0:
        if decode_block_header(epoch, data, position) is not None:
            return position
        position = data.find(MARKER, position + 1)
    return None


def payload_is_intact(header: BlockHeader, stored: bytes) -> bool:
    """Tell whether `stored` is the payload `header` was written for."""
    return len(stored) == header.length and google_crc32c.value(stored) == header.checksum


def decode_documents(
    epoch: bytes, header: BlockHeader, stored: bytes, codecs: Codecs = PLAIN_CODECS
) -> tuple[bytes, ...]:
    """Return the records of an intact payload, in order.

    Args:
        epoch: The writer's 16 bytes.
        header: The block's header.
        stored: The payload as it is in the segment, its checksum verified by the caller.
        codecs: What can be read here.

    Raises:
        FrameError: The codec refuses the bytes, or the record lengths do not add up.
        UnavailableError: The block's codec, or the key it needs, is not here now.
    """
    codec = codecs.reading.get(header.codec)
    if codec is None:
        raise UnavailableError(f"codec {header.codec}")
    context = BlockContext(epoch, header.codec, header.first_sequence, header.count)
    try:
        payload = codec.decode(stored, context)
    except ValueError as error:
        raise FrameError(
            f"codec {header.codec} cannot decode the block at sequence {header.first_sequence}"
        ) from error
    documents: list[bytes] = []
    position, length_at, last_start = 0, _U32.unpack_from, len(payload) - _U32.size
    while position <= last_start and len(documents) < header.count:
        start = position + 4
        position = start + length_at(payload, position)[0]
        documents.append(payload[start:position])
    if position != len(payload) or len(documents) != header.count:
        raise FrameError(
            f"the block at sequence {header.first_sequence} does not hold {header.count} records"
        )
    return tuple(documents)
