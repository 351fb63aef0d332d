"""Segments and checkpoints of a spool: whatever is in them, nothing is invented and nothing stands still."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import google_crc32c

from logging_system.spool.checkpoint import (
    SLOT_BYTES,
    Checkpoint,
    CheckpointFile,
    Position,
    SpoolVersionError,
    read_checkpoint,
)
from logging_system.spool.codec import UnavailableError
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    EVICTED,
    VOID,
    FileHeader,
    FrameError,
    decode_block_header,
    decode_documents,
    decode_file_header,
    encode_block,
    encode_file_header,
    encode_mark,
    find_block,
    payload_is_intact,
)
from logging_system.spool.inspection import inspect, verify
from logging_system.spool.reader import SpoolReader
from logging_system.spool.segment import segment_path
from tests.fuzz.target import Target

_EPOCH = b"0123456789abcdef"
_READS_MAX = 60
_BLOCK_MAGIC = b"\xb1LBK"
_SLOT_HEADER_BYTES = 28
_LARGE_BYTES = 64 * 1024
_NUMBERS = (b"\xff" * 4, b"\xff" * 8, b"\0" * 8, struct.pack("<Q", 1 << 63), struct.pack("<Q", (1 << 64) - 2))
_BODIES = (
    b"{}",
    b"[]",
    b"7",
    b'{"positions":[],"counters":{}}',
    b'{"positions":{"zz":[1,2,3]},"counters":{}}',
    b'{"positions":{"00":[1]},"counters":{}}',
    b'{"positions":{"00":[1,2,18446744073709551615]},"counters":{}}',
    b'{"positions":{"00":[1,2,3,"x"]},"counters":{}}',
    b'{"positions":{},"counters":{"a":"b"}}',
    b'{"positions":{},"counters":{"a":-1}}',
    b"[" * 2_000,
)
"""Checkpoints that are none, behind a checksum that is right."""


def _segment(index: int, sequence: int, version: int, *sizes: int) -> bytes:
    parts = [encode_file_header(FileHeader(_EPOCH, index, sequence, version))]
    for size in sizes:
        if size == 0:
            parts.append(encode_mark(_EPOCH, VOID, sequence, 0))
        elif size < 0:
            parts.append(encode_mark(_EPOCH, EVICTED, sequence, -size))
            sequence -= size
        else:
            parts.append(encode_block(_EPOCH, sequence, [b"x" * (place * 7) for place in range(size)]))
            sequence += size
    return b"".join(parts)


def _segment_seeds() -> Sequence[bytes]:
    return (
        _segment(0, 1, 1, 3, 1, 5, 0),
        _segment(0, 1, 1, 4, -3, 2, 0),
        _segment(1, 7, 1, 2),
        _segment(0, 1, 2, 2),
        _segment(0, 1, 65_535),
        encode_block(_EPOCH, 1, [b"one", b"", b"three"]),
    )


def _with_right_checksums(body: bytes) -> bytes:
    """Return the bytes with checksums in the first block that fit whatever it says."""
    place = body.find(_BLOCK_MAGIC)
    if place < 0 or len(body) < place + BLOCK_HEADER_BYTES:
        return body
    header = bytearray(body[place : place + BLOCK_HEADER_BYTES - 4])
    (length,) = struct.unpack_from("<I", header, 4)
    stored = body[place + BLOCK_HEADER_BYTES : place + BLOCK_HEADER_BYTES + length]
    header[8:12] = struct.pack("<I", google_crc32c.value(stored))
    checksum = google_crc32c.extend(google_crc32c.value(_EPOCH), bytes(header))
    return body[:place] + bytes(header) + struct.pack("<I", checksum) + body[place + BLOCK_HEADER_BYTES :]


def _check_frame(body: bytes) -> bool:
    """Read the bytes as a file's header and as the first block found in them."""
    decode_file_header(body)
    place = find_block(_EPOCH, body, 0)
    if place is None:
        return False
    header = decode_block_header(_EPOCH, body, place)
    assert header is not None, "a block that was found is none"
    stored = body[place + BLOCK_HEADER_BYTES : place + header.size_bytes]
    if not payload_is_intact(header, stored):
        return False
    try:
        documents = decode_documents(_EPOCH, header, stored)
    except (FrameError, UnavailableError):
        return False
    assert len(documents) == header.count
    assert sum(map(len, documents)) <= len(stored)
    return True


def _check_folder(body: bytes) -> bool:
    """Read, inspect and verify a folder with such a segment between two others, then read what follows."""
    with tempfile.TemporaryDirectory(dir=_quick_folder()) as name:
        folder = Path(name)
        state = ("open", "segment", "evicted", "new", "corrupt")[len(body) % 5]
        segment_path(folder, _EPOCH, 0, "segment").write_bytes(_segment(0, 1, 1, 2, 0))
        segment_path(folder, _EPOCH, 1, state).write_bytes(body)
        segment_path(folder, _EPOCH, 2, "segment").write_bytes(_segment(2, 9, 1, 2, 0))
        inspect(folder)
        verify(folder)
        documents = _read_all(folder)
    assert sum(map(len, documents)) <= len(body) + 200
    return len(documents) > 4


def _read_all(folder: Path) -> list[bytes]:
    reader, documents, quiet = SpoolReader(folder), list[bytes](), 0
    try:
        for _ in range(_READS_MAX):
            blocks = reader.read(1 << 20)
            quiet = 0 if blocks else quiet + 1
            for block in blocks:
                documents += block.documents
                reader.acknowledge(block.epoch, block.first_sequence + len(block.documents))
            reader.save({})
            if quiet == 3:
                break
    finally:
        reader.close()
    assert quiet == 3, "the reader does not come to an end"
    assert not reader.unreadable, "bytes were taken for a disk that refuses"
    return documents


def _checkpoint_seeds() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory(dir=_quick_folder()) as name:
        folder = Path(name)
        seeds = []
        file = CheckpointFile(folder)
        for number in range(3):
            positions = {bytes([number]) * 16: Position(number, 44, 1, (0,) * number)}
            file.save(Checkpoint(positions, {"delivered": number}))
            seeds.append((folder / "checkpoint").read_bytes()[: 2 * SLOT_BYTES])
        file.close()
    slots = [seed[start : start + SLOT_BYTES].rstrip(b"\0") for seed in seeds for start in (0, SLOT_BYTES)]
    header = next(slot for slot in slots if slot)[:8]
    return [slot for slot in slots if slot] + [_slot(header, body) for body in _BODIES]


def _slot(magic: bytes, body: bytes) -> bytes:
    header = magic + struct.pack("<IQI", 1, 7, len(body))
    return header + struct.pack("<I", google_crc32c.value(header + body)) + body


def _with_right_slot(body: bytes) -> bytes:
    return _slot(body[:8], body[_SLOT_HEADER_BYTES:]) if len(body) > _SLOT_HEADER_BYTES else body


def _check_checkpoint(body: bytes) -> bool:
    """Load a checkpoint whose second slot holds the bytes, then save over it."""
    with tempfile.TemporaryDirectory(dir=_quick_folder()) as name:
        folder = Path(name)
        file = CheckpointFile(folder)
        file.save(Checkpoint({}, {"delivered": 3}))
        file.close()
        with (folder / "checkpoint").open("r+b") as opened:
            opened.seek(SLOT_BYTES if len(body) % 2 else 0)
            opened.write(body[:SLOT_BYTES])
        try:
            loaded, _ = read_checkpoint(folder)
            file = CheckpointFile(folder)
        except SpoolVersionError:
            return False
        file.load()
        file.save(Checkpoint({}, {"delivered": 4}))
        file.close()
        assert read_checkpoint(folder)[0].counters == {"delivered": 4}, "what was saved does not count"
    return loaded.counters != {"delivered": 3}


def _quick_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - only where it lies in memory


_WORDS = (_BLOCK_MAGIC, *_NUMBERS, encode_mark(_EPOCH, VOID, 3, 2), encode_mark(_EPOCH, EVICTED, 1, 9))
SPOOL_FRAME = Target(
    "spool_frame",
    _segment_seeds,
    _check_frame,
    words=_WORDS,
    mend=_with_right_checksums,
    large_bytes=_LARGE_BYTES,
)
SPOOL_FOLDER = Target(
    "spool_folder",
    lambda: _segment_seeds()[:5],
    _check_folder,
    words=_WORDS,
    mend=_with_right_checksums,
    large_bytes=_LARGE_BYTES,
    share=0.05,
)
SPOOL_CHECKPOINT = Target(
    "spool_checkpoint",
    _checkpoint_seeds,
    _check_checkpoint,
    words=_NUMBERS,
    mend=_with_right_slot,
    share=0.05,
)
