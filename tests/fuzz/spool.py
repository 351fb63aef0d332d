"""Feeds mutated and random bytes to every parser of the spool: `python -m tests.fuzz.spool --inputs 100000`.

An input is a valid segment, block or checkpoint with bytes flipped, cut, repeated or spliced, or plain noise;
half of the mutated headers get their checksum mended, so that what lies behind the checksums is reached too.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
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
from logging_system.spool.disk import REAL_DISK
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    EVICTED,
    FILE_HEADER_BYTES,
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

_EPOCH = b"0123456789abcdef"
_MEMORY_BYTES_MAX = 256 * 1024 * 1024
_INPUT_SECONDS_MAX = 20.0
_READS_MAX = 60


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


class FoundError(AssertionError):
    """A parser crashed, hung or grew."""


def blocks_and_headers(rng: random.Random, folder: Path) -> None:
    """Parse one buffer as file header, block header, block and place to go on."""
    del folder
    data = mend_block(rng, mutate(rng, segment(rng)[rng.choice((0, FILE_HEADER_BYTES)) :]))
    decode_file_header(data)
    place = find_block(_EPOCH, data, rng.randrange(len(data) + 1))
    if place is None:
        return
    header = decode_block_header(_EPOCH, data, place)
    if header is None:
        raise FoundError("a block that was found is none")
    stored = data[place + BLOCK_HEADER_BYTES : place + header.size_bytes]
    payload_is_intact(header, stored)
    try:
        documents = decode_documents(header, stored)
    except FrameError:
        return
    if len(documents) != header.count or sum(map(len, documents)) > len(stored):
        raise FoundError("a block yielded what is not in it")


def segments(rng: random.Random, folder: Path) -> None:
    """Read, inspect and verify a folder with broken segments."""
    for index in range(rng.randrange(1, 4)):
        state = rng.choice(("open", "segment", "segment", "evicted", "new", "corrupt"))
        data = mend_block(rng, mutate(rng, segment(rng, index)))
        segment_path(folder, _EPOCH, index, state).write_bytes(data)
    inspect(folder)
    verify(folder)
    reader = SpoolReader(folder)
    try:
        for _ in range(_READS_MAX):
            blocks = reader.read(1 << 20)
            for block in blocks:
                reader.acknowledge(block.epoch, block.first_sequence + len(block.documents))
            reader.save({})
    finally:
        reader.close()
    if reader.unreadable:
        raise FoundError("bytes were taken for a disk that refuses")


def checkpoints(rng: random.Random, folder: Path) -> None:
    """Load a broken checkpoint and save over it."""
    path = folder / "checkpoint"
    file = CheckpointFile(folder)
    for _ in range(rng.randrange(3)):
        file.save(Checkpoint({rng.randbytes(16): Position(rng.randrange(9), 44, 1)}, {"delivered": 3}))
    file.close()
    with path.open("r+b") as opened:
        for slot in (0, 1):
            opened.seek(slot * SLOT_BYTES)
            data = opened.read(200)
            opened.seek(slot * SLOT_BYTES)
            opened.write(mend_slot(rng, mutate(rng, data)))
    try:
        read_checkpoint(folder)
        file = CheckpointFile(folder)
    except SpoolVersionError:
        return
    file.save(Checkpoint({}, {"delivered": 4}))
    file.close()
    if read_checkpoint(folder)[0].counters != {"delivered": 4}:
        raise FoundError("a checkpoint that was saved is not the one that counts")


TARGETS: tuple[tuple[int, Callable[[random.Random, Path], None]], ...] = (
    (960, blocks_and_headers),
    (25, segments),
    (15, checkpoints),
)
"""What is fuzzed, with its share of a thousand inputs."""


def segment(rng: random.Random, index: int = 0) -> bytes:
    """Return a valid segment of a few blocks and marks."""
    sequence = rng.randrange(1, 40)
    parts = [encode_file_header(FileHeader(_EPOCH, index, sequence, rng.choice((1, 1, 1, 2, 65_535))))]
    for _ in range(rng.randrange(5)):
        if rng.random() < 0.2:
            parts.append(encode_mark(_EPOCH, rng.choice((VOID, EVICTED)), sequence, rng.randrange(9)))
            continue
        documents = [rng.randbytes(rng.randrange(60)) for _ in range(rng.randrange(1, 5))]
        parts.append(encode_block(_EPOCH, sequence, documents))
        sequence += len(documents)
    return b"".join(parts)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Return `data` flipped, cut, repeated, spliced or replaced."""
    changed = bytearray(data or b"\0")
    for _ in range(rng.choice((0, 1, 1, 2, 6))):
        start = rng.randrange(len(changed))
        end = start + rng.randrange(1, 40)
        kind = rng.randrange(6)
        if kind == 0:
            changed[start] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[start:end] = rng.randbytes(rng.randrange(40))
        elif kind == 2:
            changed[start:start] = changed[start:end]
        elif kind == 3:
            changed[start : start + 8] = rng.choice((b"\xff" * 8, b"\0" * 8, struct.pack("<Q", 1 << 63)))
        elif kind == 4:
            del changed[start:]
        else:
            changed = bytearray(rng.randbytes(rng.randrange(200)))
        changed = changed or bytearray(1)
    return bytes(changed)


def mend_block(rng: random.Random, data: bytes) -> bytes:
    """Return `data`, half the time with a block header whose checksum is right whatever it says."""
    place = data.find(b"\xb1LBK")
    if place < 0 or rng.random() < 0.5 or len(data) < place + BLOCK_HEADER_BYTES:
        return data
    body = bytearray(data[place : place + BLOCK_HEADER_BYTES - 4])
    if rng.random() < 0.5:
        field = rng.choice(((4, 4), (12, 1), (16, 8), (24, 4)))
        body[field[0] : field[0] + field[1]] = rng.choice((b"\xff", b"\0", b"\x01")) * field[1]
    (length,) = struct.unpack_from("<I", body, 4)
    stored = data[place + BLOCK_HEADER_BYTES : place + BLOCK_HEADER_BYTES + length]
    body[8:12] = struct.pack("<I", google_crc32c.value(stored))
    checksum = google_crc32c.extend(google_crc32c.value(_EPOCH), bytes(body))
    return data[:place] + bytes(body) + struct.pack("<I", checksum) + data[place + BLOCK_HEADER_BYTES :]


def mend_slot(rng: random.Random, data: bytes) -> bytes:
    """Return `data`, half the time as a checkpoint slot whose checksum is right whatever it says."""
    if rng.random() < 0.5 or len(data) < 28:
        return data
    body = data[28:]
    if rng.random() < 0.5:
        body = rng.choice(_BODIES)
    header = data[:8] + struct.pack("<IQI", 1, rng.randrange(1 << 62), len(body))
    return header + struct.pack("<I", google_crc32c.value(header + body)) + body


def fuzz(inputs: int, seed: int) -> int:
    """Feed inputs to the parsers; returns how many.

    Raises:
        FoundError: An input did harm; the message has the command that feeds it again.
    """
    with tempfile.TemporaryDirectory(prefix="logquake-fuzz-", dir=_quick_folder()) as base:
        for number in range(seed, seed + inputs):
            rng = random.Random(number)
            _, target = rng.choices(TARGETS, [share for share, _ in TARGETS])[0]
            folder = Path(base)
            started = time.monotonic()
            try:
                target(rng, folder)
            except Exception as error:
                again = f"python -m tests.fuzz.spool --inputs 1 --seed {number}"
                raise FoundError(f"{target.__name__}: {error!r}; again: {again}") from error
            finally:
                _empty(folder)
            if time.monotonic() - started > _INPUT_SECONDS_MAX:
                raise FoundError(f"input {number} took longer than {_INPUT_SECONDS_MAX} s")
    return inputs


def _empty(folder: Path) -> None:
    for name in REAL_DISK.list_names(folder):
        (folder / name).unlink()


def _quick_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - only where it lies in memory


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; returns 1 where an input did harm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, help="number of the first input")
    options = parser.parse_args(arguments)
    before_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.monotonic()
    try:
        fuzz(options.inputs, options.seed)
    except FoundError as error:
        print(error, file=sys.stderr)
        return 1
    grown_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before_bytes
    seconds = time.monotonic() - started
    print(f"{options.inputs} inputs, no harm done, {grown_bytes >> 20} MiB grown, {seconds:.1f} s")
    return int(grown_bytes > _MEMORY_BYTES_MAX)


if __name__ == "__main__":
    sys.exit(main())
