"""What a writer or reader knows of one key: which version is active, and who else may go on without it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from logging_system.keys.durable_files import FileHeldError
from logging_system.keys.keyring import KeyringError, KeyringFile, KeyState, RingKey, Version
from logging_system.keys.offline import wrap_offline
from logging_system.keys.provider import (
    KeyDestroyedError,
    KeyMissingError,
    KeyProvider,
    KeyRetiredError,
    ProviderRefusedError,
    ProviderUnavailableError,
    PublicKey,
    WrappedKey,
)
from logging_system.keys.secret import Secret


class KeyUse:
    """One key, as the processes that share a keyring use it.

    Args:
        provider: Who keeps it.
        keyring: The shared keyring.
        key_id: Which key.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self,
        provider: KeyProvider,
        keyring: KeyringFile,
        key_id: str,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.provider = provider
        self.key_id = key_id
        self._keyring = keyring
        self._wall_clock = wall_clock

    @property
    def folder(self) -> Path:
        """Return the keyring's folder."""
        return self._keyring.folder

    def active_version(self) -> int:
        """Return the version that writers use now; the first time, what the provider has becomes the keyring.

        Raises:
            KeyProviderError: The provider was asked, and could not say.
            KeyringError: The keyring cannot be used.
        """
        key = self._ring_key()
        active = None if key is None else key.active
        if active is None:
            raise KeyMissingError(f"key {self.key_id} has no active version", key_id=self.key_id)
        return active

    def wrap(self, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap a data key with the active version: by the provider, or by its public key during an outage.

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

    def _ring_key(self) -> RingKey | None:
        key = self._keyring.read().keys.get(self.key_id)
        if key is None:
            key = self._adopted()
        if key.is_destroyed:
            raise KeyDestroyedError(f"key {self.key_id} was destroyed", key_id=self.key_id)
        return key

    def _adopted(self) -> RingKey:
        """Take what the provider has into the keyring: the newest version is the one that writers use."""
        versions = self.provider.versions(self.key_id)
        now_seconds = self._wall_clock()
        states = dict.fromkeys(range(versions.minimum, versions.newest), KeyState.DECRYPT_ONLY) | {
            versions.newest: KeyState.ACTIVE
        }
        key = RingKey(
            {
                number: Version(state, now_seconds, self.provider.public_key(self.key_id, number))
                for number, state in states.items()
            }
        )
        try:
            with self._keyring.changing() as change:
                there = change.keyring.keys.get(self.key_id)
                if there is None:
                    change.keyring = change.keyring.with_key(self.key_id, key)
                return there or key
        except (OSError, FileHeldError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise KeyringError(f"{self._keyring.folder}: {reason}") from error
