"""The program that is killed: writes a spool and says through a pipe what was acknowledged.

Run as `python -m tests.crash.writer FOLDER fsync|write`; each acknowledged record is a line on standard
output, its epoch and sequence. It also plays the reader, so that checkpoints and removals are among what is
killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolWriter

SPOOL_BYTES_MAX = 8_000
_BLOCKS = 14


def document(epoch: bytes, sequence: int) -> bytes:
    """Return the one content a record can have."""
    return b"%s:%d:%s" % (epoch.hex().encode(), sequence, b"x" * (sequence * 37 % 90))


def work(
    folder: Path,
    *,
    sync: bool,
    disk: Disk,
    say: Callable[[str], None],
    reads: bool = True,
    codecs: Codecs = PLAIN_CODECS,
) -> None:
    """Write, read, checkpoint and remove, through a few segments; each step is told when it is done.

    Args:
        folder: The spool folder.
        sync: Whether records are acknowledged when durable, or when written.
        disk: The system calls.
        reads: Whether it is the reader too; else another process is.
        codecs: How the spool stores its blocks.
        say: Takes "acknowledged EPOCH SEQUENCE" and "delivered EPOCH SEQUENCE CONTENT".
    """
    writer = SpoolWriter(folder, spool_bytes_max=SPOOL_BYTES_MAX, sync=sync, codecs=codecs, disk=disk)
    reader: SpoolReader | None = None
    for number in range(_BLOCKS):
        first = writer.next_sequence
        count = 1 + number % 5
        writer.append([document(writer.epoch, first + place) for place in range(count)])
        for sequence in range(first, first + count):
            say(f"acknowledged {writer.epoch.hex()} {sequence}")
        if number % 6 == 5:
            writer.seal()
        if reads and number % 4 == 2:
            reader = reader or SpoolReader(folder, codecs, disk=disk)
            deliver(reader, say, bytes_max=600)
    writer.seal()
    if reads:
        reader = reader or SpoolReader(folder, codecs, disk=disk)
        deliver(reader, say, bytes_max=1 << 20)


def deliver(reader: SpoolReader, say: Callable[[str], None], *, bytes_max: int) -> int:
    """Read, tell what was read, and checkpoint it; returns how many records there were."""
    blocks = reader.read(bytes_max)
    for block in blocks:
        for place, content in enumerate(block.documents):
            say(f"delivered {block.epoch.hex()} {block.first_sequence + place} {content.decode()}")
        reader.acknowledge(block.epoch, block.first_sequence + len(block.documents))
    reader.save({})
    return sum(len(block.documents) for block in blocks)


def _say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    work(Path(sys.argv[1]), sync=sys.argv[2] == "fsync", disk=REAL_DISK, say=_say)
