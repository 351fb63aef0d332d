"""Opens what was sealed; keeps the data keys it needs for a while, in bounded number.

A key that is not here now is told from one that is gone for good: the first is waited for, the second is
damage.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from logging_system.encryption.envelope import (
    Header,
    SealError,
    commitment_of,
    label_of,
    read_header,
    sealing_key,
)
from logging_system.keys.data_keys import DataKeyError, DataKeySource, StoredDataKey
from logging_system.keys.key_use import ReaderPresence
from logging_system.keys.provider import (
    KeyDestroyedError,
    KeyMissingError,
    KeyProvider,
    KeyProviderError,
    KeyRetiredError,
    ProviderRefusedError,
    ProviderUnavailableError,
    WrapInvalidError,
)
from logging_system.keys.secret import Secret
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.forks import FORKS, forget_in_children

DATA_KEYS_MAX = 1024
_LOOKS_MAX = 3
TRUST_SECONDS = 60.0
"""How long a data key is used before its provider is asked again: so soon a destroyed key opens nothing."""
OUTAGE_SECONDS_MAX = 3600.0
"""How long one is used while the provider gives no answer."""


@dataclass(slots=True)
class _Opened:
    cipher: AESGCM = field(repr=False)
    commitment: bytes = field(repr=False)
    asked_seconds: float


class Opener:
    """Opens for one purpose; used by several threads.

    Args:
        provider: Who keeps the keys.
        data_keys: Where the wrapped data keys are.
        purpose: `block`, `line` or `field`.
        presence: Told which keys are read with, so that rotations wait for this reader.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        provider: KeyProvider,
        data_keys: DataKeySource,
        purpose: str,
        *,
        presence: ReaderPresence | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._presence = presence
        self._provider = provider
        self._data_keys = data_keys
        self._purpose = purpose
        self._monotonic = monotonic
        self._opened: OrderedDict[bytes, _Opened] = OrderedDict()
        self._lock = threading.Lock()
        forget_in_children(self)

    def forget(self) -> None:
        """In a forked child: a thread that it does not have may hold the lock."""
        self._lock = threading.Lock()

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Return what was sealed.

        Args:
            sealed: Header, ciphertext and tag.
            place: As it was when it was sealed.

        Raises:
            SealError: It is damaged, was changed, stands at another place, or its key was destroyed.
            KeyUnavailableError: Its key is not here now.
        """
        FORKS.notice()
        header = read_header(sealed)
        opened = self._key_of(header)
        if not hmac.compare_digest(opened.commitment, header.commitment):
            raise SealError(
                f"key {header.key}: the commitment is not that of the data key", key_id=header.key
            )
        size_bytes = header.size_bytes
        associated = label_of(self._purpose) + sealed[:size_bytes] + place
        try:
            return opened.cipher.decrypt(header.nonce, memoryview(sealed)[size_bytes:], associated)
        except InvalidTag:
            raise SealError(
                f"key {header.key}: not what was sealed here; it is damaged, or somebody changed it",
                key_id=header.key,
            ) from None

    def _key_of(self, header: Header) -> _Opened:
        now_seconds = self._monotonic()
        with self._lock:
            if self._presence is not None:
                self._presence.note(header.key_id)
            opened = self._opened.get(header.data_key_id)
            if opened is not None and now_seconds - opened.asked_seconds < TRUST_SECONDS:
                return opened
            try:
                opened = self._unwrapped(header, now_seconds)
            except (ProviderUnavailableError, ProviderRefusedError) as error:
                if opened is None or now_seconds - opened.asked_seconds >= OUTAGE_SECONDS_MAX:
                    raise KeyUnavailableError(header.key, error.reason) from None
            except KeyDestroyedError:
                self._opened.pop(header.data_key_id, None)
                raise SealError(
                    f"key {header.key} was destroyed", key_id=header.key, is_destroyed=True
                ) from None
            except KeyProviderError as error:
                # A data key that is damaged is restored as one that is missing is: what it seals is whole.
                self._opened.pop(header.data_key_id, None)
                raise KeyUnavailableError(header.key, error.reason) from None
            self._opened[header.data_key_id] = opened
            self._opened.move_to_end(header.data_key_id)
            if len(self._opened) > DATA_KEYS_MAX:
                self._opened.popitem(last=False)
            return opened

    def _unwrapped(self, header: Header, now_seconds: float) -> _Opened:
        stored = self._stored(header)
        for _ in range(_LOOKS_MAX):
            if stored.wrapped.key_id != header.key_id or stored.purpose != self._purpose:
                raise SealError(
                    f"key {header.key}: its data key was made for something else", key_id=header.key
                )
            try:
                data_key: Secret = self._provider.unwrap(stored.wrapped, stored.context)
            except (KeyDestroyedError, KeyRetiredError):
                # A rotation that ended since it was read has wrapped it anew: nothing is gone.
                before, stored = stored, self._stored(header)
                if stored == before:
                    raise
            else:
                return _Opened(AESGCM(sealing_key(data_key).reveal()), commitment_of(data_key), now_seconds)
        raise KeyMissingError(f"key {header.key}: rotated again and again", key_id=header.key_id)

    def _stored(self, header: Header) -> StoredDataKey:
        try:
            stored = self._data_keys.get(header.data_key_id)
        except DataKeyError as error:
            raise WrapInvalidError(f"data key {header.data_key_id.hex()}: {error}") from None
        except OSError as error:
            raise ProviderUnavailableError(f"data keys: {error.strerror}") from error
        if stored is None:
            self._provider.versions(header.key_id)  # says if the key was destroyed: then it will not come
            raise KeyMissingError(f"no data key {header.data_key_id.hex()}", key_id=header.key_id)
        return stored
