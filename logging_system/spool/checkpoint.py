r"""Remembers what has been delivered, in two slots of which one is always whole.

```
slot, at 0 and at 1 MiB: header 28 bytes, then the JSON body
  0  8s   magic  b"LSCHECK\0"
  8  u32  format version, 1
 12  u64  generation; the valid slot with the higher one counts
 20  u32  length of the body
 24  u32  CRC32C of the 24 bytes above and the body
```
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c
import orjson

from logging_system.spool.segment import FILE_MODE, sync_folder

NAME = "checkpoint"
SLOT_BYTES = 1024 * 1024
_VERSION = 1
_MAGIC = b"LSCHECK\0"
_HEADER = struct.Struct("<8sIQI")
_U32 = struct.Struct("<I")


class CheckpointError(Exception):
    """The checkpoint cannot hold what it is asked to remember."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the first record of an epoch lies that has not been delivered.

    Attributes:
        index: Its segment.
        offset_bytes: Its block, from the start of the segment.
        sequence: The record itself; all before it are done.
    """

    index: int
    offset_bytes: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was delivered up to a moment, and how it was counted up to the same moment."""

    positions: dict[bytes, Position] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)


class CheckpointFile:
    """The two-slot file; used by the one reader of a spool.

    Args:
        folder: The spool folder.

    Raises:
        OSError: The file cannot be opened or created.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        self._existed = os.fstat(self._descriptor).st_size > 0
        os.fsync(self._descriptor)
        sync_folder(folder)
        self._generation = 0

    def load(self) -> tuple[Checkpoint, bool]:
        """Return the newest valid slot, and whether a file was there of which nothing is left.

        Without a valid slot the answer is an empty checkpoint: everything in the spool is delivered again,
        under the same ids, which the store recognises.
        """
        newest: tuple[int, Checkpoint] | None = None
        for slot in (0, 1):
            read = _decode_slot(os.pread(self._descriptor, SLOT_BYTES, slot * SLOT_BYTES))
            if read is not None and (newest is None or read[0] > newest[0]):
                newest = read
        if newest is None:
            return Checkpoint(), self._existed
        self._generation = newest[0]
        return newest[1], False

    def save(self, checkpoint: Checkpoint) -> None:
        """Make `checkpoint` durable in the older slot.

        Raises:
            CheckpointError: It does not fit into a slot.
            OSError: The disk refused; the newer slot still holds the checkpoint before.
        """
        generation = self._generation + 1
        data = _encode_slot(generation, checkpoint)
        if len(data) > SLOT_BYTES:
            raise CheckpointError(
                f"a checkpoint of {len(checkpoint.positions)} writers exceeds {SLOT_BYTES} bytes; "
                "use a spool folder for fewer processes"
            )
        written_bytes = os.pwrite(self._descriptor, data, (generation % 2) * SLOT_BYTES)
        if written_bytes != len(data):
            raise OSError(f"only {written_bytes} of {len(data)} bytes of the checkpoint were written")
        os.fdatasync(self._descriptor)
        self._generation = generation

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _encode_slot(generation: int, checkpoint: Checkpoint) -> bytes:
    body = orjson.dumps(
        {
            "positions": {
                epoch.hex(): [position.index, position.offset_bytes, position.sequence]
                for epoch, position in checkpoint.positions.items()
            },
            "counters": checkpoint.counters,
        }
    )
    header = _HEADER.pack(_MAGIC, _VERSION, generation, len(body))
    return header + _U32.pack(google_crc32c.value(header + body)) + body


def _decode_slot(data: bytes) -> tuple[int, Checkpoint] | None:
    header_bytes = _HEADER.size + _U32.size
    if len(data) < header_bytes:
        return None
    magic, version, generation, length = _HEADER.unpack_from(data)
    (checksum,) = _U32.unpack_from(data, _HEADER.size)
    body = data[header_bytes : header_bytes + length]
    if magic != _MAGIC or version != _VERSION or len(body) != length:
        return None
    if checksum != google_crc32c.value(data[: _HEADER.size] + body):
        return None
    content = orjson.loads(body)
    positions = {bytes.fromhex(epoch): Position(*where) for epoch, where in content["positions"].items()}
    return generation, Checkpoint(positions, content["counters"])
