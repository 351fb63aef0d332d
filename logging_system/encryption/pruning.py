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
import re
import socket
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from logging_system.encryption import block_codec, lines, tokens
from logging_system.encryption.envelope import data_key_id_of
from logging_system.keys.data_keys import DataKeyFolder, StoredDataKey
from logging_system.keys.keyring import KeyringFile
from logging_system.keys.rotation import Rotator
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, decode_block_header
from logging_system.spool.scan import find_next_block, refuse_newer
from logging_system.spool.segment import Segment, opened_segments

SEALS_SECONDS_MAX = 2 * 86400.0
"""One day is the most that a setting allows during an outage; the other is for what waits in a queue."""
UNUSED_SECONDS_MIN = 7 * 86400.0
"""How old a block's data key is at least: a process that was stopped may come back with it."""

UNKNOWN = "?"
"""The label of a spool folder that nobody named: what is made for it is never pruned."""

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
        unknown_spools: Spool folders, by host and path, that are not here: nobody knows what they need.
    """

    data_keys: tuple[StoredDataKey, ...]
    kept: Mapping[str, int]
    unknown_spools: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many can go, by purpose."""
        return Counter(each.purpose for each in self.data_keys)


def spool_label(spool: Path | None, keyring_folder: Path) -> str:
    """Return how a data key names the spool folder that it was made for: see `StoredDataKey.spool`.

    Args:
        spool: The spool folder; None where it is not known.
        keyring_folder: Of the data key; a spool folder that holds it is known without its name.
    """
    if spool is None:
        return UNKNOWN
    return "" if spool == keyring_folder.parent else f"{socket.gethostname()}:{spool}"


def spool_folder(label: str, keyring_folder: Path) -> Path | None:
    """Return the spool folder of a label; None where it is on another host, or is not there.

    Args:
        label: Of `spool_label`.
        keyring_folder: Of the data key.
    """
    if label == "":
        return keyring_folder.parent
    host, _, path = label.partition(":")
    folder = Path(path)
    return folder if host == socket.gethostname() and path and folder.is_dir() else None


def unneeded_data_keys(
    data_keys: Sequence[StoredDataKey],
    spools: Mapping[str, Path],
    retention_seconds: float | None,
    now_seconds: float,
    *,
    disk: Disk = REAL_DISK,
) -> Unneeded:
    """Return which data keys no record needs any more.

    Args:
        data_keys: All data keys of a keyring.
        spools: The spool folders that are here, by label.
        retention_seconds: How long after it was logged a record may still be in the store, in dead letters or
            in a fallback file; None, for ever.
        now_seconds: Seconds since 1970.
        disk: The system calls.

    Raises:
        OSError: A spool folder cannot be read, so that nobody knows what it needs.
    """
    named = set[bytes]()
    for folder in spools.values():
        named.update(_named_by_blocks(folder, disk))
        named.update(_named_by_dead_letters(folder))
    beside_spool = {block_codec.PURPOSE, lines.PURPOSE}
    unknown = {each.spool for each in data_keys if each.purpose in beside_spool} - spools.keys()
    # What waits, or lies in the dead letters, may need whatever was sealed since the oldest of these came.
    oldest_seconds = min(
        (each.created_seconds for each in data_keys if each.id in named), default=now_seconds
    )
    over_seconds = float("-inf")
    if retention_seconds is not None and not unknown:
        over_seconds = min(oldest_seconds, now_seconds) - retention_seconds - SEALS_SECONDS_MAX
    replaced_seconds = _replaced_seconds(data_keys)

    def is_unneeded(each: StoredDataKey) -> bool:
        if each.id in named:
            return False
        if each.purpose == block_codec.PURPOSE:
            return each.spool in spools and each.created_seconds < now_seconds - UNUSED_SECONDS_MIN
        if each.purpose == tokens.PURPOSE:
            return replaced_seconds.get(each.id, now_seconds) < over_seconds
        return each.created_seconds < over_seconds

    going = tuple(each for each in data_keys if is_unneeded(each))
    ids = {each.id for each in going}
    kept = Counter(each.purpose for each in data_keys if each.id not in ids)
    return Unneeded(going, kept, tuple(sorted(unknown)))


class KeyStore(Protocol):
    """A place beside the folder that has wrapped data keys, such as the store's key index."""

    def all(self) -> Iterator[StoredDataKey]:
        """Yield all data keys; raises OSError where they cannot be read."""

    def remove(self, data_key_ids: Sequence[bytes]) -> None:
        """Remove data keys; raises OSError where not all are gone.

        Args:
            data_key_ids: Theirs; one that is not there is gone.
        """


class Pruning:
    """Finds what can go, and removes it.

    Args:
        data_keys: The data keys of the keyring's folder.
        rotator: Of the same keyring, for its audit log.
        keyring: The keyring.
        retention_seconds: See `unneeded_data_keys`.
        index: The store's key index; None leaves it as it is.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self,
        data_keys: DataKeyFolder,
        rotator: Rotator,
        keyring: KeyringFile,
        *,
        retention_seconds: float | None = None,
        index: KeyStore | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._data_keys = data_keys
        self._rotator = rotator
        self._keyring = keyring
        self._retention_seconds = retention_seconds
        self._index = index
        self._wall_clock = wall_clock

    def look(self) -> Unneeded:
        """Return what can go now.

        Raises:
            KeyringError: The keyring cannot be used.
            OSError: The folders or the index cannot be read.
        """
        keyring = self._keyring.read()
        there = {each.id: each for each in self._data_keys.all()}
        if self._index is not None:
            # Other keyrings may have theirs in the same index, also under a key of the same name.
            of_index = {each.id: each for each in self._index.all() if each.keyring == keyring.id}
            there = of_index | there
        destroyed = {key_id for key_id, key in keyring.keys.items() if key.is_destroyed}
        shredded = tuple(each for each in there.values() if each.wrapped.key_id in destroyed)
        useful = [each for each in there.values() if each.wrapped.key_id not in destroyed]
        labels = {"", *(each.spool for each in useful)}
        folders = {label: spool_folder(label, self._keyring.folder) for label in labels}
        spools = {label: folder for label, folder in folders.items() if folder is not None}
        found = unneeded_data_keys(useful, spools, self._retention_seconds, self._wall_clock())
        return Unneeded((*shredded, *found.data_keys), found.kept, found.unknown_spools)

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
    for segment, descriptor in opened_segments(folder, disk):
        yield from _named_by_segment(segment, descriptor, disk)


def _named_by_segment(segment: Segment, descriptor: int, disk: Disk) -> Iterator[bytes]:
    refuse_newer(disk, descriptor, segment.path)
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
