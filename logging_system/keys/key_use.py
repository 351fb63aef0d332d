"""What a writer or reader knows of one key: which version is active, and who else may go on without it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from logging_system.keys.audit_log import AuditError, AuditLog
from logging_system.keys.data_keys import StoredDataKey, wrap_context
from logging_system.keys.durable_files import FileHeldError
from logging_system.keys.keyring import Keyring, KeyringError, KeyringFile, KeyState, RingKey, Version
from logging_system.keys.leases import LeaseFile
from logging_system.keys.offline import wrap_offline
from logging_system.keys.provider import (
    KeyDestroyedError,
    KeyMissingError,
    KeyProvider,
    KeyProviderError,
    KeyRetiredError,
    ProviderRefusedError,
    ProviderUnavailableError,
    PublicKey,
    WrappedKey,
)
from logging_system.keys.secret import Secret
from logging_system.spool.disk import Disk

LOOK_SECONDS = 0.5
"""How often a reader looks whether there is a new version: a rotation waits so long for it at most."""


class KeyUse:
    """One key, as the processes that share a keyring use it.

    Args:
        provider: Who keeps it.
        keyring: The shared keyring.
        key_id: Which key.
        spool: Host and path of the spool folder that it is used for; empty for the one around the keyring.
        wall_clock: Seconds since 1970.
        random_bytes: Where the name of this writer's lease comes from.
    """

    def __init__(
        self,
        provider: KeyProvider,
        keyring: KeyringFile,
        key_id: str,
        *,
        spool: str = "",
        wall_clock: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.provider = provider
        self.key_id = key_id
        self._spool = spool
        self._keyring = keyring
        self._wall_clock = wall_clock
        self._lease = LeaseFile(
            keyring.folder, "writer", wall_clock=wall_clock, random_bytes=random_bytes, disk=keyring.disk
        )

    @property
    def folder(self) -> Path:
        """Return the keyring's folder."""
        return self._keyring.folder

    @property
    def disk(self) -> Disk:
        """Return the system calls for what lies in it."""
        return self._keyring.disk

    def active_version(self) -> int:
        """Return the version that writers use now; the first time, what the provider has becomes the keyring.

        Raises:
            KeyMissingError: The keyring has the key, and none of its versions is active.
            KeyProviderError: The provider was asked, and could not say.
            KeyringError: The keyring cannot be used.
        """
        active = self._ring_key().active
        if active is None:
            raise KeyMissingError(f"key {self.key_id} has no active version", key_id=self.key_id)
        return active

    def new_data_key(
        self, data_key: Secret, data_key_id: bytes, purpose: str, now_seconds: float
    ) -> StoredDataKey:
        """Return a data key as it is to be stored, wrapped with the active version; see `wrap`.

        Args:
            data_key: 32 bytes.
            data_key_id: The 16 bytes that name it from now on.
            purpose: What it seals: `block`, `line` or `field`.
            now_seconds: When it was made, in seconds since 1970.
        """
        wrapped = self.wrap(data_key, wrap_context(data_key_id, self.key_id, purpose))
        keyring_id = self._keyring.read().id
        return StoredDataKey(data_key_id, purpose, now_seconds, wrapped, keyring_id, self._spool)

    def uses(self, version: int) -> None:
        """Say in this writer's lease which version it seals with; never raises."""
        self._lease.renew(self.key_id, version)

    def wrap(self, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap a data key with the active version: by the provider, or by its public key during an outage.

        Args:
            data_key: 32 bytes.
            context: What it is bound to; see `wrap_context`.

        Returns:
            The wrapped key, which tells the version and the form that it is wrapped with.

        Raises:
            KeyProviderError: Neither can be done.
            KeyringError: The keyring cannot be used.
        """
        version = self.active_version()
        try:
            return self.provider.wrap(self.key_id, version, data_key, context)
        except (ProviderUnavailableError, ProviderRefusedError):
            public_key = self._public_key(version)
            if public_key is None:
                raise
            return wrap_offline(public_key, data_key, context)
        except KeyRetiredError:
            # Somebody raised the minimum and this keyring does not know: what is newest is right.
            return self.provider.wrap(
                self.key_id, self.provider.versions(self.key_id).newest, data_key, context
            )

    def _public_key(self, version: int) -> PublicKey | None:
        key = self._keyring.read().keys.get(self.key_id)
        known = None if key is None else key.versions.get(version)
        return None if known is None else known.public_key

    def _ring_key(self) -> RingKey:
        key = adopt(self.provider, self._keyring, self.key_id, self._wall_clock())
        if key.is_destroyed:
            raise KeyDestroyedError(f"key {self.key_id} was destroyed", key_id=self.key_id)
        return key


def adopt(provider: KeyProvider, keyring: KeyringFile, key_id: str, now_seconds: float) -> RingKey:
    """Return a key of the keyring; one that it does not know is taken over from the provider.

    Of what the provider has, its newest version becomes active and older ones, down to its minimum, are for
    opening only.

    Args:
        provider: Asked only where the keyring does not know the key.
        keyring: Written then; where another process took the key over first, its entry stays.
        key_id: Which key.
        now_seconds: Since when versions that are taken over have their state, in seconds since 1970.

    Raises:
        KeyProviderError: The provider could not say which versions there are.
        KeyringError: The keyring cannot be used or written.
    """
    key = keyring.read().keys.get(key_id)
    if key is not None:
        return key
    versions = provider.versions(key_id)
    states: dict[int, KeyState] = dict.fromkeys(
        range(versions.minimum, versions.newest), KeyState.DECRYPT_ONLY
    )
    states[versions.newest] = KeyState.ACTIVE
    key = RingKey(
        {
            number: Version(state, now_seconds, provider.public_key(key_id, number))
            for number, state in states.items()
        }
    )
    try:
        with keyring.changing() as change:
            there = change.keyring.keys.get(key_id)
            if there is None:
                change.keyring = _noted(keyring, change.keyring.with_key(key_id, key), key_id, now_seconds)
            return there or key
    except (OSError, FileHeldError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise KeyringError(f"{keyring.folder}: {reason}") from error


def _noted(file: KeyringFile, keyring: Keyring, key_id: str, now_seconds: float) -> Keyring:
    """Return the keyring with a line in the audit log that a key was taken into it."""
    versions = {str(number): version.state for number, version in keyring.keys[key_id].versions.items()}
    log = AuditLog(file.folder, disk=file.disk)
    try:
        noted = log.append("key_adopted", key_id, {"versions": versions}, now_seconds)
    except AuditError:
        return keyring  # `keys audit --verify` finds it; records are written all the same
    return replace(keyring, audit=noted.position)


class ReaderPresence:
    """Says in a lease which versions this reader has, so that a rotation waits until it has the new one.

    Args:
        provider: Who keeps the keys.
        keyring: The shared keyring.
        wall_clock: Seconds since 1970.
        random_bytes: Where the name of this reader's lease comes from.
    """

    def __init__(
        self,
        provider: KeyProvider,
        keyring: KeyringFile,
        *,
        wall_clock: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._provider = provider
        self._keyring = keyring
        self._wall_clock = wall_clock
        self._lease = LeaseFile(
            keyring.folder, "reader", wall_clock=wall_clock, random_bytes=random_bytes, disk=keyring.disk
        )
        self._due_seconds: dict[str, float] = {}

    def look(self) -> None:
        """Do what `note` does for every key that was read with, when there is nothing to read."""
        for key_id in list(self._due_seconds):
            self.note(key_id)

    def note(self, key_id: str) -> None:
        """Look for a new version, twice a second, and say in the lease that it is here; never raises.

        Args:
            key_id: Which key; each has its own half second.
        """
        now_seconds = self._wall_clock()
        if now_seconds < self._due_seconds.get(key_id, float("-inf")):
            return
        self._due_seconds[key_id] = now_seconds + LOOK_SECONDS
        try:
            key = self._keyring.read().keys.get(key_id)
            if key is None or key.active is None:
                return
            has = key.active
            if any(number > has for number in key.pending()):
                has = self._provider.versions(key_id).newest
        except (KeyProviderError, KeyringError):
            return  # it has not got it yet
        self._lease.renew(key_id, has)
