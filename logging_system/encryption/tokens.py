"""Tokens for search by equality: the store sees only that two values are the same, and not which.

Who holds the key can ask for a value.

A token is the beginning of the token key's id, and 16 bytes of HMAC-SHA256 over the field's name and value.
All writers of a key use its newest token key. A new one is made when somebody asks for it: its rotation is
its own, and what was logged before is found by asking for the tokens under every token key
(`search_tokens`).

What a token gives away: how often a value occurs, and where. A field of few values (yes or no) is as good
as read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from logging_system.keys.audit_log import AuditError, AuditLog
from logging_system.keys.data_keys import ID_BYTES, DataKeyError, DataKeyFolder, StoredDataKey
from logging_system.keys.derivation import derive
from logging_system.keys.durable_files import FileHeldError
from logging_system.keys.key_use import KeyUse
from logging_system.keys.keyring import Change, KeyringError, KeyringFile
from logging_system.keys.provider import DATA_KEY_BYTES, KeyProviderError
from logging_system.keys.secret import Secret
from logging_system.records.document import encode_document
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.forks import FORKS, forget_in_children

PURPOSE = "token"
_LOOK_SECONDS = 60.0
_SHOWN_ID_BYTES = 4
_TOKEN_BYTES = 16


class Tokens:
    """Makes tokens under one key; used by several threads.

    Args:
        key_use: The key that wraps the token keys.
        keyring: Its keyring, whose lock is held while a token key is made.
        monotonic: The clock, in seconds.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self,
        key_use: KeyUse,
        keyring: KeyringFile,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._key_use = key_use
        self._keyring = keyring
        self._data_keys = DataKeyFolder(key_use.folder, disk=key_use.disk)
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._opened: dict[bytes, Secret] = {}
        self._newest: tuple[float, bytes] | None = None
        self.forget()
        forget_in_children(self)

    def forget(self) -> None:
        """In a forked child: a thread that it does not have may hold the lock."""
        self._lock = threading.Lock()

    def token(self, path: str, value: object) -> str:
        """Return the token of a field's value.

        Args:
            path: The field, such as `labels.card`: equal values of two fields have different tokens.
            value: Its value.

        Raises:
            KeyUnavailableError: There is no token key now.
            OSError: The disk refused.
        """
        FORKS.notice()
        try:
            with self._lock:
                token_key_id = self._current()
                return _token(token_key_id, self._opened[token_key_id], path, value)
        except (KeyProviderError, KeyringError, AuditError, FileHeldError):
            raise KeyUnavailableError(self._key_use.key_id) from None

    def search_tokens(self, path: str, value: object) -> list[str]:
        """Return the tokens that a value has under every token key, newest first: what to ask the store for.

        Args:
            path: The field's name, with dots.
            value: What is looked for, as the record has it.

        Raises:
            KeyUnavailableError: A token key cannot be had now.
            OSError: The disk refused.
        """
        try:
            with self._lock:
                stored = self._all()
                for each in stored:
                    self._open(each)
                return [_token(each.id, self._opened[each.id], path, value) for each in stored]
        except KeyProviderError:
            raise KeyUnavailableError(self._key_use.key_id) from None

    def rotate(self) -> None:
        """Make a new token key; other writers use it within a minute.

        Raises:
            KeyProviderError: It cannot be wrapped.
            KeyringError: The keyring cannot be used.
            AuditError: The audit log was changed by somebody else.
            OSError: The disk refused.
        """
        with self._lock, self._keyring.changing() as change:
            self._make(change)

    def _current(self) -> bytes:
        now_seconds = self._monotonic()
        if self._newest is not None and now_seconds - self._newest[0] < _LOOK_SECONDS:
            return self._newest[1]
        self._key_use.active_version()
        stored = self._all()
        if not stored:
            with self._keyring.changing() as change:
                stored = self._all() or [self._make(change)]
        self._open(stored[0])
        self._newest = now_seconds, stored[0].id
        return stored[0].id

    def _all(self) -> list[StoredDataKey]:
        found = []
        for data_key_id in self._data_keys.ids():
            try:
                stored = self._data_keys.get(data_key_id)
            except DataKeyError:
                continue
            if stored and stored.purpose == PURPOSE and stored.wrapped.key_id == self._key_use.key_id:
                found.append(stored)
        return sorted(found, key=lambda each: (each.created_seconds, each.id), reverse=True)

    def _make(self, change: Change) -> StoredDataKey:
        data_key, data_key_id = Secret(os.urandom(DATA_KEY_BYTES)), os.urandom(ID_BYTES)
        stored = self._key_use.new_data_key(data_key, data_key_id, PURPOSE, self._wall_clock())
        self._data_keys.put(stored)
        log = AuditLog(self._key_use.folder)
        # It changes the keyring too, by which others see that there is something new.
        noted = log.append("token_key_made", self._key_use.key_id, {}, self._wall_clock())
        change.keyring = replace(change.keyring, audit=noted.position)
        self._opened[data_key_id] = derive(data_key, b"token")
        self._newest = self._monotonic(), data_key_id
        return stored

    def _open(self, stored: StoredDataKey) -> None:
        if stored.id not in self._opened:
            data_key = self._key_use.provider.unwrap(stored.wrapped, stored.context)
            self._opened[stored.id] = derive(data_key, b"token")


def _token(token_key_id: bytes, key: Secret, path: str, value: object) -> str:
    data = path.encode() + b"\0" + encode_document(value)
    digest = hmac.digest(key.reveal(), data, hashlib.sha256)
    return f"{token_key_id[:_SHOWN_ID_BYTES].hex()}:{digest[:_TOKEN_BYTES].hex()}"
