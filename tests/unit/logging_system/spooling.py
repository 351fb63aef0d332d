"""What the tests of the spool share: writing numbered records, reading all there is, dying like a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolWriter


def writer(folder: Path, spool_bytes_max: int = 1 << 30) -> SpoolWriter:
    return SpoolWriter(folder, spool_bytes_max=spool_bytes_max, sync=False)


@contextmanager
def reading(folder: Path) -> Iterator[SpoolReader]:
    reader = SpoolReader(folder)
    try:
        yield reader
    finally:
        reader.close()


def read_all(reader: SpoolReader) -> list[tuple[int, bytes]]:
    """Read until two looks in a row bring nothing: a suspect block is judged at the second."""
    found: list[tuple[int, bytes]] = []
    empty_looks = 0
    while empty_looks < 2:
        blocks = reader.read(1 << 20)
        empty_looks = 0 if blocks else empty_looks + 1
        for block in blocks:
            found += [
                (block.first_sequence + place, document) for place, document in enumerate(block.documents)
            ]
    return found


def acknowledge(reader: SpoolReader, epoch: bytes, next_sequence: int) -> None:
    reader.acknowledge(epoch, next_sequence)
    reader.save({"delivered": next_sequence - 1})


def die(spool_writer: SpoolWriter) -> None:
    """End a writer as SIGKILL does: its descriptor closes, its segment keeps its name."""
    spool_writer.forget()


def three_blocks(folder: Path, *, damaged_at: int, by: bytes) -> tuple[SpoolWriter, int]:
    """Write records 1 to 7 in three blocks and damage the second, which holds 3 to 5.

    Args:
        folder: of the spool.
        damaged_at: where in the second block the damage begins, in bytes.
        by: what stands there afterwards.

    Returns:
        The writer, and where the second block begins in its file.
    """
    spool_writer = writer(folder)
    append(spool_writer, 1, 2)
    start = open_segment(folder).stat().st_size
    append(spool_writer, 3, 5)
    append(spool_writer, 6, 7)
    with open_segment(folder).open("r+b") as file:
        file.seek(start + damaged_at)
        file.write(by)
    return spool_writer, start


def open_segment(folder: Path) -> Path:
    (path,) = folder.glob("*.open")
    return path


def numbered(first: int, last: int) -> list[tuple[int, bytes]]:
    return [(number, b"%d" % number) for number in range(first, last + 1)]


def append(spool_writer: SpoolWriter, first: int, last: int) -> None:
    spool_writer.append([document for _, document in numbered(first, last)])
