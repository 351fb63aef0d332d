"""Names the segments of a spool folder and tells which of them are whose, and how large they are together."""

from __future__ import annotations

import os
import re
import secrets
import struct
import time
from dataclasses import dataclass
from pathlib import Path

OPEN = "open"
SEALED = "segment"
CORRUPT = "corrupt"
CREATING = "new"

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{8})\.(open|segment|corrupt|new)")


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
    """Return where the segment `index` of `epoch` lives while it is in `state`."""
    return folder / f"{epoch.hex()}-{index:08x}.{state}"


def parse_segment(path: Path) -> Segment | None:
    """Return what `path`'s name says, or None for a file that is no segment."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return Segment(bytes.fromhex(match[1]), int(match[2], 16), match[3], path)


def list_segments(folder: Path) -> dict[bytes, dict[int, Segment]]:
    """Return the readable (open or sealed) segments of `folder`, by epoch and index.

    A file seen under both names while it is being sealed is reported as sealed.

    Raises:
        OSError: The folder cannot be listed.
    """
    found: dict[bytes, dict[int, Segment]] = {}
    for path in folder.iterdir():
        segment = parse_segment(path)
        if segment is None or segment.state not in (OPEN, SEALED):
            continue
        indexes = found.setdefault(segment.epoch, {})
        if segment.index not in indexes or segment.state == SEALED:
            indexes[segment.index] = segment
    return found


def spooled_bytes(folder: Path) -> int:
    """Return the bytes that open and sealed segments of every writer take together."""
    total = 0
    for path in folder.iterdir():
        segment = parse_segment(path)
        if segment is None or segment.state == CORRUPT:
            continue
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # consumed, or renamed, between the listing and here
    return total


def prepare_folder(folder: Path) -> None:
    """Create the spool folder, open to its owner only.

    A folder that is already there keeps its mode unless it is empty: it may be somebody else's `/tmp`.

    Raises:
        OSError: The folder cannot be created or is no folder.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        folder.chmod(FOLDER_MODE)


def sync_folder(folder: Path) -> None:
    """Make the creations, renames and removals in `folder` durable (fsync(2): of the directory itself)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_fully(descriptor: int, data: bytes) -> None:
    """Write all of `data`; write(2) may take less than it is given.

    Raises:
        OSError: The disk refused a part; some bytes may have been written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
