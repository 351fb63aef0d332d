"""Removes wrapped data keys that no record needs any more; what is not certain is kept.

```
block   no block of any spool names it, and no process can be using it still
field   the declared retention is over since the last record that it can have sealed,
line    and whatever waits in the spool or lies in its dead letters is younger
token   as a field, counted from when a newer token key took its place; the newest stays
```

A data key belongs to one process and seals for `SEALS_SECONDS_MAX` at most, from when it was made.
"""

from __future__ import annotations

import binascii
import os
import re
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from logging_system.encryption import block_codec, tokens
from logging_system.encryption.envelope import data_key_id_of
from logging_system.keys.data_keys import DataKeyError, DataKeyFolder, StoredDataKey
from logging_system.keys.keyring import KeyringFile
from logging_system.keys.rotation import Rotator
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, decode_block_header
from logging_system.spool.scan import find_next_block, read_file_header
from logging_system.spool.segment import Segment, parse_segment

SEALS_SECONDS_MAX = 2 * 86400.0
"""One day is the most that a setting allows during an outage; the other is for what waits in a queue."""
UNUSED_SECONDS_MIN = 7 * 86400.0
"""How old a block's data key is at least: a process that was stopped may come back with it."""

_HEAD_BYTES = 96
_DEAD_LETTERS = "dead-letters.ndjson"
_SEALED_LINE = re.compile(rb'"_?sealed":"([A-Za-z0-9+/]{128})')
_LINE_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What can go.

    Attributes:
        data_keys: The data keys.
        kept: How many stay, by purpose.
    """

    data_keys: tuple[StoredDataKey, ...]
    kept: Mapping[str, int]

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many can go, by purpose."""
        return Counter(each.purpose for each in self.data_keys)


def unneeded_data_keys(
    data_keys: Sequence[StoredDataKey],
    spools: Sequence[Path],
    retention_seconds: float | None,
    now_seconds: float,
    *,
    disk: Disk = REAL_DISK,
) -> Unneeded:
    """Return which data keys no record needs any more.

    Args:
        data_keys: All data keys of a keyring, and of the store's key index.
        spools: Every spool folder that the keyring serves; none where they are not known, and all is kept.
        retention_seconds: How long after it was logged a record may still be in the store, in dead letters or
            in a fallback file; None, for ever.
        now_seconds: Seconds since 1970.
        disk: The system calls.

    Raises:
        OSError: A spool folder cannot be read, so that nobody knows what it needs.
    """
    if not spools:
        return Unneeded((), Counter(each.purpose for each in data_keys))
    named = set[bytes]()
    for folder in spools:
        named.update(_named_by_blocks(folder, disk))
        named.update(_named_by_dead_letters(folder))
    # What waits, or lies in the dead letters, may need whatever was sealed since the oldest of these came.
    oldest_seconds = min(
        (each.created_seconds for each in data_keys if each.id in named), default=now_seconds
    )
    over_seconds = None
    if retention_seconds is not None:
        over_seconds = min(oldest_seconds, now_seconds) - retention_seconds - SEALS_SECONDS_MAX
    replaced_seconds = _replaced_seconds(data_keys)

    def is_unneeded(each: StoredDataKey) -> bool:
        if each.id in named:
            return False
        if each.purpose == block_codec.PURPOSE:
            return each.created_seconds < now_seconds - UNUSED_SECONDS_MIN
        last_seconds = each.created_seconds
        if each.purpose == tokens.PURPOSE:
            last_seconds = replaced_seconds.get(each.id, now_seconds)
        return over_seconds is not None and last_seconds < over_seconds

    going = tuple(each for each in data_keys if is_unneeded(each))
    ids = {each.id for each in going}
    return Unneeded(going, Counter(each.purpose for each in data_keys if each.id not in ids))


class KeyStore(Protocol):
    """A place beside the folder that has wrapped data keys, such as the store's key index."""

    def all(self) -> Iterator[StoredDataKey]:
        """Yield all data keys; raises OSError where they cannot be read."""

    def remove(self, data_key_ids: Sequence[bytes]) -> None:
        """Remove data keys; raises OSError where not all are gone."""


class Pruning:
    """Finds what can go, and removes it.

    Args:
        data_keys: The data keys of the keyring's folder.
        rotator: Of the same keyring, for its audit log.
        keyring: The keyring.
        spools: Every spool folder that the keyring serves; none where they are not known.
        retention_seconds: See `unneeded_data_keys`.
        index: The store's key index; None leaves it as it is.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self,
        data_keys: DataKeyFolder,
        rotator: Rotator,
        keyring: KeyringFile,
        spools: Sequence[Path],
        *,
        retention_seconds: float | None = None,
        index: KeyStore | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._data_keys = data_keys
        self._rotator = rotator
        self._keyring = keyring
        self._spools = spools
        self._retention_seconds = retention_seconds
        self._index = index
        self._wall_clock = wall_clock

    def look(self) -> Unneeded:
        """Return what can go now.

        Raises:
            KeyringError: The keyring cannot be used.
            OSError: The folders or the index cannot be read.
        """
        there = {each.id: each for each in self._in_folder()}
        if self._index is not None:
            there = {each.id: each for each in self._index.all()} | there
        destroyed = {key_id for key_id, key in self._keyring.read().keys.items() if key.is_destroyed}
        shredded = tuple(each for each in there.values() if each.wrapped.key_id in destroyed)
        useful = [each for each in there.values() if each.wrapped.key_id not in destroyed]
        found = unneeded_data_keys(useful, self._spools, self._retention_seconds, self._wall_clock())
        return Unneeded((*shredded, *found.data_keys), found.kept)

    def remove(self, data_keys: Sequence[StoredDataKey]) -> None:
        """Note in the audit log that data keys go, and remove them: from the index first, then the folder.

        Raises:
            KeyringError: The keyring cannot be used.
            AuditError: The audit log was changed by somebody else.
            OSError: The index or the disk refused; what is left goes with the next pruning.
        """
        counts: dict[str, Counter[str]] = {}
        for each in data_keys:
            counts.setdefault(each.wrapped.key_id, Counter())[each.purpose] += 1
        for key_id, by_purpose in counts.items():
            self._rotator.note("data_keys_pruned", key_id, {"data_keys": dict(by_purpose)})
        ids = [each.id for each in data_keys]
        if self._index is not None:
            self._index.remove(ids)
        for data_key_id in ids:
            self._data_keys.remove(data_key_id)

    def _in_folder(self) -> Iterator[StoredDataKey]:
        for data_key_id in self._data_keys.ids():
            try:
                stored = self._data_keys.get(data_key_id)
            except DataKeyError:
                continue  # `keys status` names it, and it may be mended
            if stored is not None:
                yield stored


def _replaced_seconds(data_keys: Sequence[StoredDataKey]) -> Mapping[bytes, float]:
    """Return when each token key was replaced by a newer one of its key; the newest are left out."""
    made = sorted(
        (each.wrapped.key_id, each.created_seconds, each.id)
        for each in data_keys
        if each.purpose == tokens.PURPOSE
    )
    return {
        old_id: new_seconds
        for (key_id, _, old_id), (new_key_id, new_seconds, _) in pairwise(made)
        if key_id == new_key_id
    }


def _named_by_blocks(folder: Path, disk: Disk) -> Iterator[bytes]:
    for name in disk.list_names(folder):
        segment = parse_segment(folder / name)
        if segment is None:
            continue
        try:
            descriptor = disk.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # shipped since it was listed
        try:
            yield from _named_by_segment(segment, descriptor, disk)
        finally:
            disk.close(descriptor)


def _named_by_segment(segment: Segment, descriptor: int, disk: Disk) -> Iterator[bytes]:
    header = read_file_header(disk, descriptor)
    if header is not None and header.is_newer:
        raise OSError(None, "written by a newer version, so nobody knows what it needs", str(segment.path))
    size_bytes = disk.status(descriptor).size_bytes
    offset_bytes: int | None = FILE_HEADER_BYTES
    while offset_bytes is not None and offset_bytes < size_bytes:
        data = disk.pread(descriptor, BLOCK_HEADER_BYTES + _HEAD_BYTES, offset_bytes)
        block = decode_block_header(segment.epoch, data[:BLOCK_HEADER_BYTES])
        if block is None:
            offset_bytes = find_next_block(disk, descriptor, segment.epoch, offset_bytes + 1)
            continue
        named = data_key_id_of(data[BLOCK_HEADER_BYTES:])
        if block.codec == block_codec.NUMBER and named is not None:
            yield named
        offset_bytes += block.size_bytes


def _named_by_dead_letters(folder: Path) -> Iterator[bytes]:
    try:
        file = (folder / _DEAD_LETTERS).open("rb")
    except FileNotFoundError:
        return
    with file:
        while line := file.readline(_LINE_BYTES_MAX):
            found = _SEALED_LINE.search(line)
            try:
                named = data_key_id_of(b64decode(found[1])) if found else None
            except binascii.Error:
                named = None
            if named is not None:
                yield named
