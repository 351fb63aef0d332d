"""Wrapped data keys: a folder with one small file each, so that re-wrapping never touches the logs.

`<data key id>.json`, the id in 32 hexadecimal digits. What a file holds is not secret without the provider;
who changes or removes it makes the data unreadable, and nothing else.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import orjson

from logging_system.keys.durable_files import file_lock, make_folder, read_file, remove_file, replace_file
from logging_system.keys.provider import KEY_ID, WrappedKey
from logging_system.spool.disk import REAL_DISK, Disk

FOLDER_NAME = "data-keys"
ID_BYTES = 16
_SUFFIX = ".json"
_FILE_BYTES_MAX = 64 * 1024


class DataKeyError(ValueError):
    """The bytes are no stored data key."""


@dataclass(frozen=True, slots=True)
class StoredDataKey:
    """A data key as it is stored.

    Attributes:
        id: 16 bytes.
        purpose: What it seals: `block`, `line` or `field`.
        created_seconds: When it was made, in seconds since 1970.
        wrapped: The key, wrapped.
        keyring: Of which keyring it is; several may put theirs into one key index.
        spool: Host and path of the spool folder for which it was made; empty for the one around the keyring.
    """

    id: bytes
    purpose: str
    created_seconds: float
    wrapped: WrappedKey
    keyring: str = ""
    spool: str = ""

    @property
    def context(self) -> bytes:
        """Return what the wrapped bytes are bound to, beside their key and its version."""
        return wrap_context(self.id, self.wrapped.key_id, self.purpose)

    def encoded(self) -> bytes:
        """Return the file's content."""
        return orjson.dumps(
            {
                "format": 1,
                "id": self.id.hex(),
                "purpose": self.purpose,
                "created_seconds": self.created_seconds,
                "key_id": self.wrapped.key_id,
                "version": self.wrapped.version,
                "form": self.wrapped.form,
                "wrapped": self.wrapped.data.hex(),
                "keyring": self.keyring,
                "spool": self.spool,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


def wrap_context(data_key_id: bytes, key_id: str, purpose: str) -> bytes:
    """Return what a wrapped data key is bound to: a provider opens it only when it is given the same again.

    Args:
        data_key_id: Its 16 bytes.
        key_id: The key that wraps it.
        purpose: What it seals: `block`, `line` or `field`.
    """
    return b"logging_system data key 1\0" + data_key_id + f"{key_id}\0{purpose}".encode()


def decode_data_key(data: bytes) -> StoredDataKey:
    """Return the data key of a file's content.

    Raises:
        DataKeyError: It holds none.
    """
    try:
        content = orjson.loads(data)
        key_id, version = str(content["key_id"]), content["version"]
        if content["format"] != 1 or not KEY_ID.fullmatch(key_id) or type(version) is not int or version < 1:
            raise DataKeyError("no data key of this format")
        wrapped = WrappedKey(key_id, version, str(content["form"]), bytes.fromhex(content["wrapped"]))
        return StoredDataKey(
            _id(content["id"]),
            str(content["purpose"]),
            float(content["created_seconds"]),
            wrapped,
            str(content["keyring"]),
            str(content["spool"]),
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise DataKeyError("no data key") from None


class DataKeySource(Protocol):
    """Where wrapped data keys are found."""

    def get(self, data_key_id: bytes) -> StoredDataKey | None:
        """Return a data key; None where it is not there.

        Args:
            data_key_id: Its 16 bytes.

        Raises:
            DataKeyError: What is there is none, or another one.
            OSError: It cannot be read now.
        """


@dataclass(frozen=True, slots=True)
class InTurn:
    """Data keys of one place, and of another where the first has not got one that can be used.

    Attributes:
        first: Asked first.
        second: Asked next.
    """

    first: DataKeySource
    second: DataKeySource

    def get(self, data_key_id: bytes) -> StoredDataKey | None:
        """Return a data key; see `DataKeySource.get`."""
        try:
            found = self.first.get(data_key_id)
        except (DataKeyError, OSError):
            found = None
        return found or self.second.get(data_key_id)


class DataKeyFolder:
    """The wrapped data keys of a keyring.

    Args:
        keyring_folder: The keyring's folder.
        disk: The system calls.
    """

    def __init__(self, keyring_folder: Path, *, disk: Disk = REAL_DISK) -> None:
        self._folder = keyring_folder / FOLDER_NAME
        self._disk = disk

    def put(self, stored: StoredDataKey) -> None:
        """Store a data key, in place of what had its id; durable on return.

        Args:
            stored: The data key, wrapped; its id names the file.

        Raises:
            OSError: The disk refused; what was there before is there still.
        """
        make_folder(self._folder, self._disk)
        replace_file(self._path(stored.id), stored.encoded(), self._disk)

    def rewrap(self, before: StoredDataKey, wrapped: WrappedKey) -> bool:
        """Store a data key wrapped anew, unless it is not any more what it was: somebody was faster.

        Two that wrap one data key anew must not write one file at a time, and who was held up for a whole
        rotation must not bring back what has been retired since.

        Args:
            before: As it was when it was unwrapped.
            wrapped: What takes the place of its wrapped bytes.

        Returns:
            Whether it was stored.

        Raises:
            DataKeyError: What is there now is none.
            FileHeldError: Another process held the lock too long.
            OSError: The disk refused; what was there before is there still.
        """
        with file_lock(self._folder, self._disk):
            if self.get(before.id) != before:
                return False
            self.put(replace(before, wrapped=wrapped))
            return True

    def get(self, data_key_id: bytes) -> StoredDataKey | None:
        """Return a data key; None where it is not here.

        Raises:
            DataKeyError: Its file holds none, or another one.
            OSError: It cannot be read.
        """
        try:
            data = read_file(self._path(data_key_id), _FILE_BYTES_MAX, self._disk)
        except FileNotFoundError:
            return None
        stored = decode_data_key(data)
        if stored.id != data_key_id:
            raise DataKeyError("the file holds another data key")
        return stored

    def has(self, data_key_id: bytes) -> bool:
        """Whether there is a file of this data key; also where that cannot be told now.

        Args:
            data_key_id: Its 16 bytes. The file is not opened: it may hold something else.
        """
        try:
            return self._disk.path_status(self._path(data_key_id)) is not None
        except OSError:
            return True

    def remove(self, data_key_id: bytes) -> None:
        """Overwrite and remove a data key; one that is gone already is no error.

        Args:
            data_key_id: Its 16 bytes.

        Raises:
            OSError: The disk refused.
        """
        remove_file(self._path(data_key_id), self._disk)

    def ids(self) -> Iterator[bytes]:
        """Yield the ids of all data keys, in no order.

        Raises:
            OSError: The folder cannot be read.
        """
        try:
            names = self._disk.list_names(self._folder)
        except FileNotFoundError:
            return
        for name in names:
            stem, dot, _ = name.partition(_SUFFIX)
            if dot and name == stem + _SUFFIX:
                try:
                    yield _id(stem)
                except ValueError:
                    continue

    def all(self) -> Iterator[StoredDataKey]:
        """Yield all data keys; those whose files are damaged are passed over, `keys status` names them.

        Raises:
            OSError: The folder cannot be read.
        """
        for data_key_id in self.ids():
            try:
                stored = self.get(data_key_id)
            except DataKeyError:
                continue
            if stored is not None:
                yield stored

    def of_key(self, key_id: str) -> Iterator[StoredDataKey]:
        """Yield the data keys that a key wraps, whichever of its versions did; see `all`.

        Args:
            key_id: The key, without a version.
        """
        return (each for each in self.all() if each.wrapped.key_id == key_id)

    def _path(self, data_key_id: bytes) -> Path:
        return self._folder / f"{data_key_id.hex()}{_SUFFIX}"


def _id(text: object) -> bytes:
    data = bytes.fromhex(text) if isinstance(text, str) else b""
    if len(data) != ID_BYTES:
        raise ValueError("a data key's id is 16 bytes")
    return data
