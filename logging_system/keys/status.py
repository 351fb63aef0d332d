"""What a keyring holds, for a person: keys, who uses them, and how many data keys each version wraps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from logging_system.keys.data_keys import DataKeyError, DataKeyFolder
from logging_system.keys.keyring import KeyringFile, KeyState, RingKey
from logging_system.keys.leases import leases


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The state of a keyring.

    Attributes:
        keys: The keys, by id.
        active: The version that writers use, by key id; a key that has none is left out.
        data_keys: How many data keys each version wraps, by `key:version`.
        leases: Who uses the keyring.
        unreadable_data_keys: Data keys whose files are damaged.
    """

    keys: Mapping[str, RingKey]
    active: Mapping[str, int]
    data_keys: Mapping[str, int]
    leases: tuple[str, ...]
    unreadable_data_keys: tuple[str, ...]


def key_status(keyring: KeyringFile, now_seconds: float) -> KeyStatus:
    """Return the state of a keyring.

    Args:
        keyring: The keyring; nothing in its folder is changed but leases that ran out long ago.
        now_seconds: Seconds since 1970; tells which leases have run out.

    Raises:
        KeyringError: The keyring cannot be used.
        OSError: Its folder cannot be read.
    """
    folder = DataKeyFolder(keyring.folder, disk=keyring.disk)
    counts: Counter[str] = Counter()
    unreadable = []
    for data_key_id in folder.ids():
        try:
            stored = folder.get(data_key_id)
        except DataKeyError:
            unreadable.append(data_key_id.hex())
            continue
        if stored is not None:
            counts[stored.wrapped.key] += 1
    shown = []
    for lease in leases(keyring.folder, now_seconds, keyring.disk):
        has = ", ".join(f"{key_id}:{version}" for key_id, version in lease.versions.items())
        lapse = lease.lapse(now_seconds)
        shown.append(f"{lease.shown}: {has}{lapse and f', {lapse}'}")
    keys = keyring.read().keys
    active = {
        key_id: number
        for key_id, key in keys.items()
        for number, version in key.versions.items()
        if version.state is KeyState.ACTIVE
    }
    return KeyStatus(keys, active, dict(counts), tuple(shown), tuple(sorted(unreadable)))
