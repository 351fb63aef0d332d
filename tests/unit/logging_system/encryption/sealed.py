"""Encryption with a key file, as small as a test needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from logging_system.encryption.encryption import Encryption
from logging_system.encryption.sealing import SealingLimits
from logging_system.keys.provider import (
    KeyProvider,
    KeyVersions,
    ProviderUnavailableError,
    PublicKey,
    WrappedKey,
)
from logging_system.keys.providers.file import FileProvider
from logging_system.keys.secret import Secret


def key_file(folder: Path, *key_ids: str) -> FileProvider:
    provider = FileProvider(folder / "keys.json")
    for key_id in key_ids or ("logs",):
        provider.create(key_id)
    return provider


def encryption(
    folder: Path,
    *,
    provider: KeyProvider | None = None,
    key_id: str = "logs",
    limits: SealingLimits | None = None,
) -> Encryption:
    return Encryption(provider or key_file(folder, key_id), folder / "keyring", key_id, limits=limits)


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now_seconds: float = 1000.0

    def __call__(self) -> float:
        return self.now_seconds


@dataclass
class Unreliable:
    """A provider that can be made to fail; everything else is the one within."""

    within: KeyProvider
    has_public_keys: bool = True
    failure: Callable[[], Exception] | None = None
    calls: list[str] = field(default_factory=list)
    name: str = "unreliable"

    def fail(self, failure: Callable[[], Exception] = lambda: ProviderUnavailableError("gone")) -> None:
        self.failure = failure

    def mend(self) -> None:
        self.failure = None

    def _asked(self, call: str) -> KeyProvider:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure()
        return self.within

    def create(self, key_id: str) -> KeyVersions:
        return self._asked("create").create(key_id)

    def versions(self, key_id: str) -> KeyVersions:
        return self._asked("versions").versions(key_id)

    def rotate(self, key_id: str, *, newest: int) -> int:
        return self._asked("rotate").rotate(key_id, newest=newest)

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        return self._asked("wrap").wrap(key_id, version, data_key, context)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        return self._asked("unwrap").unwrap(wrapped, context)

    def public_key(self, key_id: str, version: int) -> PublicKey | None:
        found = self._asked("public_key").public_key(key_id, version)
        return found if self.has_public_keys else None

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        return self._asked("raise_minimum").raise_minimum(key_id, version)

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        self._asked("destroy").destroy(key_id, through_version=through_version)

    def close(self) -> None:
        self.within.close()
