"""A simulated key server: its keys survive every crash; its answers may be lost or refused.

Readers ask copies of it, which lag: a copy hears of a new version when it is asked which there are, or after
a while.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from logging_system.keys.offline import unwrap_hpke, wrap_invalid
from logging_system.keys.provider import (
    FORM_HPKE,
    FORM_PROVIDER,
    KeyProviderError,
    KeyVersions,
    ProviderRefusedError,
    ProviderUnavailableError,
    PublicKey,
    WrappedKey,
)
from logging_system.keys.providers.version_errors import VersionState, missing
from logging_system.keys.secret import Secret
from tests.simulation.disk import Process

KEY_ID = "logs"
COPY_SECONDS = 5.0
"""How long a copy may lag."""
TROUBLES: dict[str, Callable[[], KeyProviderError]] = {
    "unavailable": lambda: ProviderUnavailableError("no answer"),
    "refused": lambda: ProviderRefusedError("the token has expired"),
    "missing": lambda: missing(KEY_ID),
}
"""What an outage answers; a key file that is away is missing."""
_NONCE_BYTES = 12
T = TypeVar("T")


@dataclass(slots=True)
class KeyServer:
    """The keys themselves.

    Attributes:
        rng: Where keys come from.
        clock: Seconds.
        has_public_keys: Whether writers can wrap without it.
        lags: Whether readers ask copies.
        trouble: What it answers in an outage; "" where there is none.
        troubled_seconds: When the last outage was over.
    """

    rng: random.Random
    clock: Callable[[], float]
    has_public_keys: bool
    lags: bool
    trouble: str = ""
    troubled_seconds: float = float("-inf")
    minimum: int = 1
    secrets: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the first version."""
        self.secrets[1] = self.rng.randbytes(32)

    @property
    def state(self) -> VersionState:
        """Return which versions can be used."""
        return VersionState(min(self.secrets), self.minimum, max(self.secrets))


class KeyClient:
    """What one process has of the server: a `KeyProvider`.

    Args:
        server: The server.
        process: Whose calls these are.
    """

    name = "simulated"

    def __init__(self, server: KeyServer, process: Process) -> None:
        self._server = server
        self._process = process
        self._copied_seconds = float("-inf")
        self._copied = 0

    def create(self, key_id: str) -> KeyVersions:
        return self.versions(key_id)

    def versions(self, key_id: str) -> KeyVersions:
        del key_id
        return self._ask(self._copy)

    def rotate(self, key_id: str, *, newest: int) -> int:
        del key_id
        server = self._server

        def rotate() -> int:
            if server.state.newest <= newest:
                server.secrets[server.state.newest + 1] = server.rng.randbytes(32)
            return server.state.newest

        return self._ask(rotate)

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        def wrap() -> WrappedKey:
            nonce = self._server.rng.randbytes(_NONCE_BYTES)
            sealed = self._cipher(version).encrypt(nonce, data_key.reveal(), _associated(version, context))
            return WrappedKey(key_id, version, FORM_PROVIDER, nonce + sealed)

        return self._ask(wrap)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        def unwrap() -> Secret:
            if self._server.clock() - self._copied_seconds >= COPY_SECONDS or not self._server.lags:
                self._copy()
            if wrapped.version > self._copied:
                raise missing(wrapped.key_id, wrapped.version)
            cipher = self._cipher(wrapped.version)
            if wrapped.form == FORM_HPKE:
                return unwrap_hpke(_private(self._server.secrets[wrapped.version]), wrapped, context)
            nonce, sealed = wrapped.data[:_NONCE_BYTES], wrapped.data[_NONCE_BYTES:]
            try:
                return Secret(cipher.decrypt(nonce, sealed, _associated(wrapped.version, context)))
            except InvalidTag:
                raise wrap_invalid(wrapped) from None

        return self._ask(unwrap)

    def public_key(self, key_id: str, version: int) -> PublicKey | None:
        def public_key() -> PublicKey | None:
            if not self._server.has_public_keys:
                return None
            self._server.state.require(key_id, version)
            data = _private(self._server.secrets[version]).public_key().public_bytes_raw()
            return PublicKey(key_id, version, FORM_HPKE, data)

        return self._ask(public_key)

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        del key_id

        def raise_minimum() -> KeyVersions:
            self._server.minimum = max(self._server.minimum, version)
            return self._server.state.versions

        return self._ask(raise_minimum)

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        assert through_version is not None, "the simulation shreds nothing"
        through = through_version

        def destroy() -> None:
            self._server.state.require_unused(key_id, through)
            for number in [number for number in self._server.secrets if number <= through]:
                del self._server.secrets[number]

        self._ask(destroy)

    def close(self) -> None:
        """Nothing is open."""

    def _copy(self) -> KeyVersions:
        self._copied, self._copied_seconds = self._server.state.newest, self._server.clock()
        return self._server.state.versions

    def _cipher(self, version: int) -> AESGCM:
        self._server.state.require(KEY_ID, version)
        return AESGCM(hashlib.sha256(b"wrap" + self._server.secrets[version]).digest())

    def _ask(self, answer: Callable[[], T]) -> T:
        if self._server.trouble:
            raise TROUBLES[self._server.trouble]()
        try:
            return self._process.ask("key_server", answer)
        except OSError:
            raise ProviderUnavailableError("the connection was reset") from None


def _private(secret: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(hashlib.sha256(b"hpke" + secret).digest())


def _associated(version: int, context: bytes) -> bytes:
    return f"{version}\0".encode() + context
