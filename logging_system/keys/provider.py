"""What a key provider does: it keeps versioned keys, and wraps data keys with them.

```
KEK  one a namespace, in versions 1, 2, …; stays in the provider     "logs" 3
 │ wrap(data key, context) ─▶ WrappedKey {key id, version, form, data}
DEK  made and used here, stored wrapped only
```

A key-encryption key (KEK) has an id, such as the namespace whose logs it protects. Versions count up from 1;
which of them writers use is the keyring's decision, not the provider's. A provider is one file in
`providers/`, one line in its `__init__.py`, and one in tests/contract/logging_system/keys/kept_keys.py.

No error, repr or log line of a provider holds key bytes, plaintext, a token or what a server answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from logging_system.keys.secret import Secret

KEY_ID = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")
"""What a key id looks like: it becomes part of names at every provider."""
DATA_KEY_BYTES = 32
FORM_PROVIDER = "provider"
"""Wrapped by a call to the provider, in its own format."""
FORM_HPKE = "hpke-x25519-sha256-aes256gcm"
"""Wrapped by the writer itself, to the public key, by HPKE (RFC 9180): see `offline.py`."""
FORM_RSA = "rsa-oaep-sha256"
"""As `FORM_HPKE`, for providers whose public keys are RSA: OAEP of the data key and the context's SHA-256."""
FORM_RSA_SHA1 = "rsa-oaep-sha1"
"""As `FORM_RSA`, for HSMs whose OAEP knows no other hash; it needs none that withstands collisions."""


class KeyProviderError(Exception):
    """A provider could not do what was asked; the classes below say why, and so what to do.

    Args:
        what: Where, what and the remedy; nothing secret.
        key_id: Which key it is about, where it is about one.
        version: Which version of it.
    """

    reason: ClassVar[str] = "failed"
    """One word, for counters."""

    def __init__(self, what: str, *, key_id: str = "", version: int | None = None) -> None:
        super().__init__(what)
        self.key_id = key_id
        self.version = version


class ProviderUnavailableError(KeyProviderError):
    """There is no answer now (network, token removed, file locked): asking again later may help."""

    reason = "unavailable"


class ProviderRefusedError(KeyProviderError):
    """It says no, or its answer makes no sense: an expired token, a missing right, garbage, a bad file mode.

    Asking again helps only after somebody mended it. Data is kept as with an outage, and an operator is told.
    """

    reason = "refused"


class KeyMissingError(KeyProviderError):
    """The provider has never heard of this key or version; it may be restored."""

    reason = "missing"


class KeyDestroyedError(KeyProviderError):
    """The key or version was destroyed for good: what it protects can never be read again."""

    reason = "destroyed"


class KeyRetiredError(KeyProviderError):
    """The version is below the minimum that may still be used to unwrap; an operator can lower that again."""

    reason = "retired"


class WrapInvalidError(KeyProviderError):
    """The wrapped bytes do not belong to this key, version and context: damaged, or somebody changed them."""

    reason = "invalid"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it may be stored.

    Attributes:
        key_id: The key that wraps it.
        version: Its version, from 1.
        form: How it was wrapped; one of the `FORM_…` constants.
        data: The wrapped bytes.
    """

    key_id: str
    version: int
    form: str
    data: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """Return key id and version as they are shown and counted: `logs:3`."""
        return f"{self.key_id}:{self.version}"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What wraps data keys where the provider cannot be asked; nothing secret.

    Attributes:
        key_id: The key.
        version: Its version.
        form: What is wrapped with it: any but `FORM_PROVIDER`.
        data: The key: 32 raw bytes for X25519, DER (SubjectPublicKeyInfo) for RSA.
    """

    key_id: str
    version: int
    form: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """Which versions of a key there are.

    Attributes:
        minimum: The lowest version that still unwraps.
        newest: The highest version.
    """

    minimum: int
    newest: int


class KeyProvider(Protocol):
    """Keeps key-encryption keys where no process of ours can lose them.

    Every method can raise `ProviderUnavailableError` and `ProviderRefusedError`, and returns or raises within
    a bound that the provider's settings name. Several threads call it at once, and forked children do:
    a connection or session that was inherited is opened anew (`spool.forks.FORKS`).
    """

    @property
    def name(self) -> str:
        """The word of the setting, such as `file`."""

    def create(self, key_id: str) -> KeyVersions:
        """Make the key, in version 1, unless it exists; returns what there is then.

        Args:
            key_id: The key.

        Raises:
            KeyDestroyedError: It was destroyed; an id is not used twice.
        """

    def versions(self, key_id: str) -> KeyVersions:
        """Return which versions there are.

        Args:
            key_id: The key.

        Raises:
            KeyMissingError: There is no such key.
            KeyDestroyedError: It was destroyed.
        """

    def rotate(self, key_id: str, *, newest: int) -> int:
        """Make version `newest` + 1, unless there is a higher one than `newest` already: safe to repeat.

        Args:
            key_id: The key.
            newest: The newest version as the caller knows it.

        Returns:
            The newest version now.

        Raises:
            KeyMissingError: There is no such key.
            KeyDestroyedError: It was destroyed.
        """

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap a data key with one version of a key.

        Args:
            key_id: The key.
            version: The version that writers use now.
            data_key: 32 bytes.
            context: Bytes that `unwrap` must be given again; they are authenticated, and not secret.

        Returns:
            What is stored beside the data; only `unwrap` makes a key of it.

        Raises:
            KeyMissingError: There is no such key or version.
            KeyDestroyedError: It was destroyed.
            KeyRetiredError: The version is below the minimum.
        """

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        """Return the data key, wrapped by `wrap` or with the public key.

        Raises:
            KeyMissingError: There is no such key or version.
            KeyDestroyedError: It was destroyed.
            KeyRetiredError: The version is below the minimum.
            WrapInvalidError: The bytes were not wrapped for this key, version and context.
        """

    def public_key(self, key_id: str, version: int) -> PublicKey | None:
        """Return what wraps without the provider; None where it has no such thing.

        Args:
            key_id: The key.
            version: The version that writers use now.

        Raises:
            KeyMissingError: There is no such key or version.
            KeyDestroyedError: It was destroyed.
        """

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        """Let versions below `version` unwrap nothing any more; never lowers it: safe to repeat.

        Args:
            key_id: The key.
            version: The lowest version that unwraps.

        Returns:
            Which versions there are then.

        Raises:
            KeyMissingError: There is no such key or version.
            KeyDestroyedError: It was destroyed.
        """

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        """Destroy versions for good; safe to repeat.

        Args:
            key_id: The key.
            through_version: The highest version to destroy, below the minimum; None destroys the key itself.

        Raises:
            KeyMissingError: There never was such a key.
            ValueError: A version at or above the minimum would go.
        """

    def close(self) -> None:
        """Let go of connections; later calls may open them again."""


def checked_key_id(key_id: str) -> str:
    """Return a key id.

    Args:
        key_id: What somebody wrote.

    Raises:
        ValueError: It is none.
    """
    if not KEY_ID.fullmatch(key_id):
        raise ValueError(
            "a key id has lower case letters, digits, '-', '_' and '.', begins with a letter or digit, "
            "and has 64 characters at most"
        )
    return key_id
