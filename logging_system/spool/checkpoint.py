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

import contextlib
import errno
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c
import orjson

from logging_system.spool.disk import REAL_DISK, Disk, sync_folder
from logging_system.spool.segment import FILE_MODE

NAME = "checkpoint"
SLOT_BYTES = 1024 * 1024
_RESERVED_BYTES = 16 * 1024
"""Room kept in each slot, some two hundred writers, so that a full disk can still be drained."""
_VERSION = 1
_NUMBER_MAX = 2**62
_MAGIC = b"LSCHECK\0"
_HEADER = struct.Struct("<8sIQI")
_U32 = struct.Struct("<I")


class CheckpointError(Exception):
    """The checkpoint cannot hold what it is asked to remember."""


class SpoolVersionError(OSError):
    """A newer version wrote what is to be read; it is left alone."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the first record of an epoch lies that has not been delivered.

    Attributes:
        index: Its segment.
        offset_bytes: Its block, from the start of the segment.
        sequence: The record itself; all before it are done.
        damaged: Segments up to `index` that were found damaged and are still to be kept aside.
    """

    index: int
    offset_bytes: int
    sequence: int
    damaged: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was delivered up to a moment, and how it was counted up to the same moment."""

    positions: dict[bytes, Position] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)


class CheckpointFile:
    """The two-slot file; used by the one reader of a spool.

    Args:
        folder: The spool folder.
        disk: Where the file lies.

    Raises:
        OSError: The file cannot be opened or created.
        SpoolVersionError: It was written by a newer version; it is left as it is.
    """

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        self._disk = disk
        self._descriptor = disk.open(folder / NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)
        self._generation = 0
        try:
            self._newest, self.lost = _read_slots(disk, self._descriptor, folder / NAME)
            if self._newest is not None:
                self._prove(self._newest)
            _reserve_slots(disk, self._descriptor)
            disk.sync(self._descriptor)
            sync_folder(folder, disk)
        except OSError:
            disk.close(self._descriptor)
            raise

    @property
    def is_removed(self) -> bool:
        """Whether somebody removed the file: what is saved to it now would be gone."""
        return self._disk.status(self._descriptor).links == 0

    def load(self) -> tuple[Checkpoint, bool]:
        """Return the newest valid slot, and whether a file was there of which nothing is left.

        Without a valid slot the answer is an empty checkpoint: everything in the spool is delivered again,
        under the same ids, which the store recognises.
        """
        return (Checkpoint() if self._newest is None else self._newest.checkpoint), self.lost

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
        self._write_slot(generation, data)
        self._disk.datasync(self._descriptor)
        self._generation = generation

    def close(self) -> None:
        """Close the file."""
        self._disk.close(self._descriptor)

    def _prove(self, newest: _Slot) -> None:
        """Write the newest slot once more, as it is.

        An earlier reader's sync may have failed: then the system shows bytes that no disk holds, and the next
        save, which goes to the other slot, could destroy the only one that is durable.
        """
        self._write_slot(newest.generation, newest.data)
        self._generation = newest.generation

    def _write_slot(self, generation: int, data: bytes) -> None:
        written_bytes = self._disk.pwrite(self._descriptor, data, (generation % 2) * SLOT_BYTES)
        if written_bytes != len(data):
            raise OSError(
                errno.ENOSPC, f"only {written_bytes} of {len(data)} bytes of the checkpoint were written"
            )


def reserve_checkpoint(folder: Path, disk: Disk = REAL_DISK) -> None:
    """Take room for the checkpoint while there is some: without it a full disk could never be drained.

    Args:
        folder: The spool folder; a checkpoint that is there stays.
        disk: Where the folder lies.

    Raises:
        OSError: The file cannot be created.
    """
    descriptor = disk.open(folder / NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        _reserve_slots(disk, descriptor)
    finally:
        disk.close(descriptor)


def _reserve_slots(disk: Disk, descriptor: int) -> None:
    with contextlib.suppress(
        OSError
    ):  # a full disk, or one that cannot reserve: each save shows whether it fits
        for place in (0, 1):
            disk.reserve(descriptor, place * SLOT_BYTES, _RESERVED_BYTES)


def read_checkpoint(folder: Path, disk: Disk = REAL_DISK) -> tuple[Checkpoint, bool]:
    """Return what `CheckpointFile.load` would, without changing anything.

    Args:
        folder: The spool folder; without a checkpoint in it, nothing is done yet and nothing was lost.
        disk: Where the folder lies.

    Raises:
        OSError: The file cannot be read.
        SpoolVersionError: It was written by a newer version.
    """
    try:
        descriptor = disk.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return Checkpoint(), False
    try:
        newest, lost = _read_slots(disk, descriptor, folder / NAME)
    finally:
        disk.close(descriptor)
    return (Checkpoint() if newest is None else newest.checkpoint), lost


@dataclass(frozen=True, slots=True)
class _Slot:
    generation: int
    checkpoint: Checkpoint
    data: bytes


def _read_slots(disk: Disk, descriptor: int, path: Path) -> tuple[_Slot | None, bool]:
    found = [disk.pread(descriptor, SLOT_BYTES, place * SLOT_BYTES) for place in (0, 1)]
    slots = [_decode_slot(data, path) for data in found]
    whole = [slot for slot in slots if slot is not None]
    newest = max(whole, key=lambda slot: slot.generation, default=None)
    # Zeros are room that was reserved and never written.
    return newest, newest is None and any(data.strip(b"\0") for data in found)


def _encode_slot(generation: int, checkpoint: Checkpoint) -> bytes:
    body = orjson.dumps(
        {
            "positions": {
                epoch.hex(): [position.index, position.offset_bytes, position.sequence, *position.damaged]
                for epoch, position in checkpoint.positions.items()
            },
            "counters": checkpoint.counters,
        }
    )
    header = _HEADER.pack(_MAGIC, _VERSION, generation, len(body))
    return header + _U32.pack(google_crc32c.value(header + body)) + body


def _decode_slot(data: bytes, path: Path) -> _Slot | None:
    header_bytes = _HEADER.size + _U32.size
    if len(data) < header_bytes:
        return None
    magic, version, generation, length = _HEADER.unpack_from(data)
    (checksum,) = _U32.unpack_from(data, _HEADER.size)
    body = data[header_bytes : header_bytes + length]
    if magic != _MAGIC or len(body) != length:
        return None
    if checksum != google_crc32c.value(data[: _HEADER.size] + body):
        return None
    if version > _VERSION:
        raise SpoolVersionError(
            errno.ENOTSUP,
            f"{path} has format version {version}; ship this folder with a newer version of logging_system",
        )
    checkpoint = _decode_body(body)
    return None if checkpoint is None else _Slot(generation, checkpoint, data[: header_bytes + length])


def _decode_body(body: bytes) -> Checkpoint | None:
    """Return what the JSON body says, or None where a valid checksum covers something else."""
    try:
        content = orjson.loads(body)
        positions = {
            bytes.fromhex(epoch): Position(int(index), int(offset_bytes), int(sequence), tuple(damaged))
            for epoch, (index, offset_bytes, sequence, *damaged) in content["positions"].items()
        }
        counters = {str(name): int(count) for name, count in content["counters"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    numbers = [number for each in positions.values() for number in _numbers(each)] + list(counters.values())
    if not all(isinstance(number, int) and 0 <= number <= _NUMBER_MAX for number in numbers):
        return None
    return Checkpoint(positions, counters)


def _numbers(position: Position) -> tuple[int, ...]:
    return (position.index, position.offset_bytes, position.sequence, *position.damaged)
