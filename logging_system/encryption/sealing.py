"""Seals with a data key of this process, and takes a new one in time.

```
provider holds KEK ─ wraps ─▶ data key ─ HKDF ─▶ AES-256-GCM key
                              5 minutes, 2^20 records or 64 MiB; a new one after fork, restart and rotation
```

No nonce is used twice: a data key never leaves the process that made it but wrapped, a forked child makes
its own, and under one data key a counter numbers what is sealed.

Where the provider gives no answer, the new data key is wrapped with the public key that the keyring holds;
where it has none, the data key in use serves on, up to a hard age. After that nothing is sealed, and
nothing is written in the clear either: `KeyUnavailableError`.
"""

from __future__ import annotations

import os
import struct
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from logging_system.encryption.envelope import (
    NONCE_PREFIX_BYTES,
    commitment_of,
    header_start,
    label_of,
    sealing_key,
)
from logging_system.keys.data_keys import ID_BYTES, DataKeyFolder, StoredDataKey
from logging_system.keys.key_use import KeyUse
from logging_system.keys.keyring import KeyringError
from logging_system.keys.provider import DATA_KEY_BYTES, KeyDestroyedError, KeyProviderError
from logging_system.keys.secret import Secret
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.forks import FORKS, forget_in_children

_encoded = struct.Struct(">Q").pack
_SWITCHES_MAX = 3
_AT_ONCE = float("-inf")


@dataclass(frozen=True, slots=True)
class SealingLimits:
    """When a data key has served its time.

    Attributes:
        age_seconds_max: A new one is made after this long.
        records_max: A new one is made after so many records.
        bytes_max: A new one is made after so many bytes.
        outage_seconds_max: How old it may become while no new one can be wrapped.
        look_seconds: How often the keyring is looked at for another active version.
        retry_seconds: How soon the provider is asked again after it failed.
    """

    age_seconds_max: float = 300.0
    records_max: int = 1 << 20
    bytes_max: int = 64 * 1024 * 1024
    outage_seconds_max: float = 3600.0
    look_seconds: float = 0.5
    retry_seconds: float = 1.0


@dataclass(slots=True)
class _InUse:
    """A data key in this process, and how much it has sealed.

    Attributes:
        seal_with: The cipher's `encrypt`, and what nonce, header and associated data begin with: each goes on
            with the counter.
        stored: It, wrapped, as it lies on the disk.
        begun_seconds: When it was made, monotonic.
        records_left: How many more it may seal.
        bytes_left: How many more it may seal.
        sealed: How often it has sealed; the next counter.
    """

    seal_with: tuple[Callable[[bytes, bytes, bytes], bytes], bytes, bytes, bytes] = field(repr=False)
    stored: StoredDataKey
    begun_seconds: float
    records_left: int
    bytes_left: int
    sealed: int = 0


class Sealer:
    """Seals for one purpose under one key; used by several threads.

    Args:
        key_use: The key: its provider, its active version, and the lease that says we use it.
        purpose: `block`, `line` or `field`.
        limits: When a data key has served its time.
        random_bytes: Where data keys come from.
        monotonic: The clock for ages, in seconds.
        wall_clock: Seconds since 1970, for what is stored.
    """

    def __init__(
        self,
        key_use: KeyUse,
        purpose: str,
        *,
        limits: SealingLimits | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._key_use = key_use
        self._purpose = purpose
        self._label = label_of(purpose)
        self._limits = limits or SealingLimits()
        self._random_bytes = random_bytes
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._data_keys = DataKeyFolder(key_use.folder, disk=key_use.disk)
        self._begin()
        forget_in_children(self)
        _sealers.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._in_use: _InUse | None = None
        self._look_at_seconds = _AT_ONCE
        self._failed_until_seconds = _AT_ONCE
        self._is_told = False

    def forget(self) -> None:
        """In a forked child: leave the data key, and its nonces, to the parent."""
        self._begin()

    def renew(self) -> None:
        """Take a new data key with the next thing sealed; takes no lock, so a signal handler may call it."""
        self._is_told = True
        self._look_at_seconds = _AT_ONCE

    def answer_rotation(self) -> None:
        """Switch to another version where writers are to, with nothing to seal: a rotation waits for all.

        Never raises, and waits for no thread: one that seals at this moment looks as well.
        """
        FORKS.notice()
        used = self._in_use
        if (
            used is None
            or self._monotonic() < self._look_at_seconds
            or not self._lock.acquire(blocking=False)
        ):
            return
        try:
            now_seconds = self._monotonic()
            self._look_at_seconds = now_seconds + self._limits.look_seconds
            # A data key that is worn only waits for the next thing to be sealed.
            if not self._is_current(used):
                self._renewed_or_kept(now_seconds)
        except (KeyProviderError, KeyringError, KeyUnavailableError, OSError):
            self._look_at_seconds = _AT_ONCE  # whoever seals next has to find out for itself
        finally:
            self._lock.release()

    def seal(self, data: bytes, place: bytes, *, records: int = 1) -> bytes:
        """Return header, ciphertext and tag.

        Args:
            data: What is sealed.
            place: What is known of the place it will stand at; needed to open it.
            records: How many records that is, for the limits of a data key.

        Raises:
            KeyUnavailableError: There is no key now.
            OSError: The wrapped data key could not be stored.
        """
        return b"".join(self.seal_in_parts(data, place, records))

    def seal_in_parts(self, data: bytes, place: bytes, records: int = 1) -> tuple[bytes, bytes]:
        """Return the header, and ciphertext with tag, which nobody has copied yet; else as `seal`.

        Args:
            data: What is sealed.
            place: What is known of the place it will stand at; needed to open it.
            records: How many records that is, for the limits of a data key.
        """
        if not FORKS.mark[0]:
            FORKS.notice()
        with self._lock:
            used = self._in_use
            # As few steps as can be, each a percent of a block's cost: the next look is due within a second,
            # and at once where a limit is reached.
            if used is None or self._monotonic() >= self._look_at_seconds:
                used = self._current()
            encrypt, nonce_begin, header_begin, associated_begin = used.seal_with
            counter = used.sealed
            used.sealed = counter + 1
            used.records_left = records_left = used.records_left - records
            used.bytes_left = bytes_left = used.bytes_left - len(data)
            if records_left <= 0 or bytes_left <= 0:
                self._look_at_seconds = _AT_ONCE
        end = _encoded(counter)
        return header_begin + end, encrypt(nonce_begin + end, data, associated_begin + end + place)

    def _current(self) -> _InUse:
        now_seconds = self._monotonic()
        self._look_at_seconds = now_seconds + self._limits.look_seconds
        try:
            return self._kept(now_seconds) or self._renewed_or_kept(now_seconds)
        except KeyDestroyedError:
            # What it sealed from now on, nobody could ever open.
            self._in_use = None
            raise KeyUnavailableError(self._key_use.key_id) from None

    def _kept(self, now_seconds: float) -> _InUse | None:
        used = self._in_use
        if self._is_told:
            self._is_told = False
            self._failed_until_seconds = _AT_ONCE
            return None
        if used is None or self._is_worn(used, now_seconds):
            return None
        try:
            is_current = self._is_current(used)
        except KeyDestroyedError:
            raise
        except (KeyProviderError, KeyringError):
            # It serves on while it may. What is stored of it may have been wrapped anew, with a version that
            # is not known here: it is left alone.
            self._key_use.uses(used.stored.wrapped.version)
            return used
        if not is_current:
            return None
        self._put_back(used.stored)
        self._key_use.uses(used.stored.wrapped.version)
        return used

    def _renewed_or_kept(self, now_seconds: float) -> _InUse:
        used, limits = self._in_use, self._limits
        if now_seconds >= self._failed_until_seconds:
            try:
                self._in_use = used = self._renewed(now_seconds)
            except KeyDestroyedError:
                raise
            except (KeyProviderError, KeyringError):
                self._failed_until_seconds = now_seconds + limits.retry_seconds
            else:
                return used
        if used is None or now_seconds - used.begun_seconds >= limits.outage_seconds_max:
            self._in_use = None
            raise KeyUnavailableError(self._key_use.key_id)
        return used

    def _is_worn(self, used: _InUse, now_seconds: float) -> bool:
        is_old = now_seconds - used.begun_seconds >= self._limits.age_seconds_max
        return is_old or used.records_left <= 0 or used.bytes_left <= 0

    def _is_current(self, used: _InUse) -> bool:
        # Newer than the keyring knows is a version that somebody made at the provider.
        return used.stored.wrapped.version >= self._key_use.active_version()

    def _put_back(self, stored: StoredDataKey) -> None:
        """Store the data key again where somebody removed it: what it sealed could not be opened."""
        if not self._data_keys.has(stored.id):
            self._data_keys.put(stored)

    def _renewed(self, now_seconds: float) -> _InUse:
        for _ in range(_SWITCHES_MAX):
            used = self._new(now_seconds)
            # Where writers were switched while this was stored, re-wrapping may have passed it by; where that
            # cannot be told, nothing is sealed with it.
            if self._is_current(used):
                self._key_use.uses(used.stored.wrapped.version)
                return used
        raise KeyringError(f"key {self._key_use.key_id}: writers were switched again and again")

    def _new(self, now_seconds: float) -> _InUse:
        data_key, data_key_id = Secret(self._random_bytes(DATA_KEY_BYTES)), self._random_bytes(ID_BYTES)
        key_id = self._key_use.key_id
        stored = self._key_use.new_data_key(data_key, data_key_id, self._purpose, self._wall_clock())
        # On the disk before anything is sealed with it: what is sealed can be opened after any crash.
        self._data_keys.put(stored)
        nonce_prefix = self._random_bytes(NONCE_PREFIX_BYTES)
        version = stored.wrapped.version
        start = header_start(key_id, version, data_key_id, commitment_of(data_key)) + nonce_prefix
        encrypt = AESGCM(sealing_key(data_key).reveal()).encrypt
        return _InUse(
            (encrypt, nonce_prefix, start, self._label + start),
            stored,
            now_seconds,
            self._limits.records_max,
            self._limits.bytes_max,
        )


_sealers: weakref.WeakSet[Sealer] = weakref.WeakSet()


def renew_data_keys() -> None:
    """Have everything that seals in this process look at the keyring at once, as after a signal."""
    for each in list(_sealers):
        each.renew()


def answer_rotations() -> None:
    """Have all in this process that seals follow a rotation, whether it has something to seal or not."""
    for each in list(_sealers):
        each.answer_rotation()
