"""Names the segments of a spool folder, tells who writes each, and how large they are together."""

from __future__ import annotations

import os
import re
import secrets
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logging_system.spool.disk import REAL_DISK, Disk, make_durable_folder, write_fully

OPEN = "open"
SEALED = "segment"
CORRUPT = "corrupt"
CREATING = "new"
EVICTED = "evicted"
_PREFERRED = (EVICTED, OPEN, SEALED)

_PROBE = "writable"
_PROBE_BYTES = 64 * 1024  # what a writer takes at its start: two slots of a checkpoint and a segment
FILE_MODE = 0o600
FOLDER_MODE = 0o700
_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{8})\.(open|segment|corrupt|new|evicted)")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a writer's epoch."""

    epoch: bytes
    index: int
    state: str
    path: Path


def new_epoch() -> bytes:
    """Return 16 bytes that name one writer: start second, process id, 64 random bits."""
    return struct.pack(">II", int(time.time()) & 0xFFFFFFFF, os.getpid() & 0xFFFFFFFF) + secrets.token_bytes(
        8
    )


def segment_path(folder: Path, epoch: bytes, index: int, state: str) -> Path:
    """Return where the segment `index` of `epoch` lives while it is in `state`.

    Args:
        folder: The spool folder.
        epoch: The writer's 16 bytes.
        index: The segment's number among those of its writer; 8 hexadecimal digits in the name.
        state: The name's ending, such as `OPEN` or `SEALED`.
    """
    return folder / f"{epoch.hex()}-{index:08x}.{state}"


def parse_segment(path: Path) -> Segment | None:
    """Return what `path`'s name says, or None for a file that is no segment."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return Segment(bytes.fromhex(match[1]), int(match[2], 16), match[3], path)


def list_segments(folder: Path, disk: Disk = REAL_DISK) -> dict[bytes, dict[int, Segment]]:
    """Return the readable segments of `folder`, by epoch and index.

    A file seen under two names is reported under the later one of its life; only an evicted segment whose
    records are still there is reported as what holds them.

    Raises:
        OSError: The folder cannot be listed.
    """
    found: dict[bytes, dict[int, Segment]] = {}
    for name in disk.list_names(folder):
        segment = parse_segment(folder / name)
        if segment is None or segment.state not in _PREFERRED:
            continue
        indexes = found.setdefault(segment.epoch, {})
        seen = indexes.get(segment.index)
        if seen is None or _PREFERRED.index(segment.state) > _PREFERRED.index(seen.state):
            indexes[segment.index] = segment
    return found


def opened_segments(folder: Path, disk: Disk = REAL_DISK) -> Iterator[tuple[Segment, int]]:
    """Yield every segment of `folder`, whatever its state, and a descriptor to read it by, closed afterwards.

    They come by epoch and index, beside whoever writes or ships them; one that has gone since it was listed
    is passed over.

    Raises:
        OSError: The folder cannot be read.
    """
    segments = [parse_segment(folder / name) for name in disk.list_names(folder)]
    for segment in sorted(filter(None, segments), key=lambda each: (each.epoch, each.index)):
        try:
            descriptor = disk.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            yield segment, descriptor
        finally:
            disk.close(descriptor)


def find_segment(folder: Path, epoch: bytes, index: int, disk: Disk = REAL_DISK) -> Segment | None:
    """Return the segment `index` of `epoch`, if it is there, whatever a listing said.

    A long listing may miss a file whose name changes meanwhile. Names only ever change in the order asked for
    here, so what is there is found.

    Raises:
        OSError: The folder cannot be read.
    """
    for state in (OPEN, SEALED, EVICTED):
        path = segment_path(folder, epoch, index, state)
        if disk.path_status(path) is not None:
            return Segment(epoch, index, state, path)
    return None


def spooled_bytes(folder: Path, disk: Disk = REAL_DISK) -> int:
    """Return the bytes that the segments of every writer take together, those kept as corrupt left out.

    Raises:
        OSError: The folder cannot be listed.
    """
    total = 0
    for name in disk.list_names(folder):
        segment = parse_segment(folder / name)
        if segment is None or segment.state == CORRUPT:
            continue
        status = disk.path_status(segment.path)
        if status is not None:  # else consumed, or renamed, between the listing and here
            total += status.size_bytes
    return total


def check_writable(folder: Path, disk: Disk = REAL_DISK) -> None:
    """Create the spool folder, and see that a file of some size can be written in it.

    Raises:
        OSError: It cannot.
    """
    prepare_folder(folder, disk)
    path = folder / f"{_PROBE}-{secrets.token_hex(8)}"
    descriptor = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        write_fully(descriptor, bytes(_PROBE_BYTES), disk)
    finally:
        disk.close(descriptor)
        disk.unlink(path)


def prepare_folder(folder: Path, disk: Disk = REAL_DISK) -> None:
    """Create the spool folder, open to its owner only; it is durable, as what is acknowledged in it shall be.

    A folder that is already there keeps its mode unless it is empty: it may be somebody else's `/tmp`.

    Raises:
        OSError: The folder cannot be created or is no folder.
    """
    make_durable_folder(folder, FOLDER_MODE, disk)
    if not disk.list_names(folder):
        disk.set_mode(folder, FOLDER_MODE)
