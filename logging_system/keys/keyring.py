"""Which version of each key is used for what: the keyring, one small file that all its users share.

```
pending ─▶ active ─▶ decrypt_only ─▶ retired ─▶ destroyed
 published   writers     readers        nobody      nobody, for good
```

A version is published while writers still use the one before, so that every reader has it when they switch.
At most one rotation of a key is under way; its step is in the file, so that any process can go on with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import orjson

from logging_system.keys.audit_log import NO_EVENT, Position
from logging_system.keys.durable_files import file_lock, make_folder, read_file, replace_file
from logging_system.keys.provider import KEY_ID, PublicKey
from logging_system.spool.disk import REAL_DISK, Disk, Identity

NAME = "keyring.json"
FORMAT = 1
_FILE_BYTES_MAX = 64 * 1024 * 1024
_ID_BYTES = 8


class KeyState(StrEnum):
    """What a version may be used for."""

    PENDING = "pending"
    ACTIVE = "active"
    DECRYPT_ONLY = "decrypt_only"
    RETIRED = "retired"
    DESTROYED = "destroyed"


class Step(StrEnum):
    """How far a rotation is: what was finished last."""

    BEGUN = "begun"
    PUBLISHED = "published"
    READERS_READY = "readers_ready"
    SWITCHED = "switched"
    WRITERS_SWITCHED = "writers_switched"
    REWRAPPED = "rewrapped"
    MINIMUM_RAISED = "minimum_raised"


class KeyringError(Exception):
    """The keyring file cannot be used; nothing of it is in the message."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a key.

    Attributes:
        state: What it may be used for.
        since_seconds: When it came into that state, in seconds since 1970.
        public_key: What wraps with it while the provider gives no answer; None where it has no such thing.
    """

    state: KeyState
    since_seconds: float
    public_key: PublicKey | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation under way.

    Attributes:
        old: The version that is active when it begins.
        new: The version that becomes active.
        step: What was finished last.
        why: `schedule`, `demand`, `usage` or `suspicion`.
        begun_seconds: When, in seconds since 1970.
        destroys_old: Whether the old version is destroyed at the end.
    """

    old: int
    new: int
    step: Step
    why: str
    begun_seconds: float
    destroys_old: bool = False


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key: its versions, and its rotation if one is under way.

    Attributes:
        versions: By number.
        rotation: None where none is under way.
        is_destroyed: Whether the key as a whole was destroyed (crypto-shredding).
    """

    versions: Mapping[int, Version]
    rotation: Rotation | None = None
    is_destroyed: bool = False

    @property
    def settled(self) -> int:
        """Return the version that all data keys are wrapped with, at least; 0 where none is known."""
        rotation = self.rotation
        if rotation is None:
            return self.active or 0
        return rotation.new if rotation.step is Step.MINIMUM_RAISED else rotation.old

    @property
    def active(self) -> int | None:
        """Return the version that writers use; None where there is none."""
        return next((n for n, each in self.versions.items() if each.state is KeyState.ACTIVE), None)

    def pending(self) -> list[int]:
        """Return the versions that readers should make sure they have."""
        return [n for n, each in self.versions.items() if each.state is KeyState.PENDING]

    def with_version(self, number: int, version: Version) -> RingKey:
        """Return the key with a version in a new state.

        Args:
            number: The version's number, from 1; one that the key does not have yet is added.
            version: What it is from now on.
        """
        return replace(self, versions={**self.versions, number: version})

    def with_state(self, number: int, state: KeyState, now_seconds: float) -> RingKey:
        """Return the key with a version moved to a state; unchanged where it is there already.

        Args:
            number: The version's number; the key must have it.
            state: Where it goes.
            now_seconds: Since when it is there, in seconds since 1970.
        """
        version = self.versions[number]
        if version.state is state:
            return self
        return self.with_version(number, replace(version, state=state, since_seconds=now_seconds))


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys, as they were at one moment.

    Attributes:
        generation: Rises with every change.
        keys: By id.
        audit: An event that the audit log has at least.
        id: Which keyring it is, in letters; empty until it is written for the first time.
    """

    generation: int = 0
    keys: Mapping[str, RingKey] = field(default_factory=dict)
    audit: Position = NO_EVENT
    id: str = ""

    def with_key(self, key_id: str, key: RingKey) -> Keyring:
        """Return the keyring with one key changed.

        Args:
            key_id: Which key; one that the keyring does not have is added.
            key: What it is from now on.
        """
        return replace(self, keys={**self.keys, key_id: key})


class KeyringFile:
    """The keyring of a folder; read again when it changes.

    Args:
        folder: The folder, made when something is written.
        disk: The system calls; all that is kept beside the keyring uses them.

    Attributes:
        folder: The folder.
        disk: The system calls.
    """

    def __init__(self, folder: Path, *, disk: Disk = REAL_DISK) -> None:
        self.folder = folder
        self.disk = disk
        self._path = folder / NAME
        self._seen: tuple[Identity | None, Keyring] | None = None

    def read(self) -> Keyring:
        """Return the keyring; an empty one where there is no file yet.

        Raises:
            KeyringError: The file cannot be read, or is none.
        """
        try:
            identity = self.disk.identity(self._path)
            seen = self._seen
            if seen is not None and seen[0] == identity:
                return seen[1]
            if identity is None:
                return Keyring()
            keyring = decode_keyring(read_file(self._path, _FILE_BYTES_MAX, self.disk))
        except FileNotFoundError:
            return Keyring()
        except OSError as error:
            raise KeyringError(f"{self._path}: {error.strerror}") from error
        except ValueError:
            raise KeyringError(
                f"{self._path}: no keyring; restore it, or remove it: it is made anew from the provider"
            ) from None
        self._seen = identity, keyring
        return keyring

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Hold the file's lock; what is put into the change is written, once, when the caller is done.

        Yields:
            The change, whose keyring is what the file holds now. Left as it is, nothing is written; where the
            caller raises, neither.

        Raises:
            KeyringError: The file is none.
            FileHeldError: Another process held it too long.
            OSError: The disk refused.
        """
        make_folder(self.folder, self.disk)
        with file_lock(self._path, self.disk):
            before = self.read()
            change = Change(before)
            yield change
            if change.keyring != before:
                keyring_id = before.id or secrets.token_hex(_ID_BYTES)
                after = replace(change.keyring, generation=before.generation + 1, id=keyring_id)
                replace_file(self._path, encode_keyring(after), self.disk)
                self._seen = None


@dataclass(slots=True)
class Change:
    """The keyring that will be written.

    Attributes:
        keyring: What it is to be.
    """

    keyring: Keyring


def encode_keyring(keyring: Keyring) -> bytes:
    """Return the bytes of a keyring file."""
    content = {
        "format": FORMAT,
        "id": keyring.id,
        "generation": keyring.generation,
        "audit_sequence": keyring.audit.sequence,
        "audit_digest": keyring.audit.digest,
        "keys": {key_id: _plain_key(key) for key_id, key in keyring.keys.items()},
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode_keyring(data: bytes) -> Keyring:
    """Return the keyring of a file's bytes.

    Args:
        data: The whole file, as `encode_keyring` wrote it.

    Raises:
        ValueError: They are none.
    """
    try:
        content = orjson.loads(data)
        if content["format"] != FORMAT:
            raise ValueError(f"not of format {FORMAT}")
        return Keyring(
            _number(content["generation"]),
            {_key_id(key_id): _ring_key(key_id, key) for key_id, key in content["keys"].items()},
            Position(_number(content["audit_sequence"]), str(content["audit_digest"])),
            str(content["id"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a part is missing or of the wrong kind: {type(error).__name__}") from None


def _plain_key(key: RingKey) -> dict[str, object]:
    return {
        "is_destroyed": key.is_destroyed,
        "rotation": key.rotation,
        "versions": {
            str(number): {
                "state": version.state,
                "since_seconds": version.since_seconds,
                "public_key": _plain_public(version.public_key),
            }
            for number, version in key.versions.items()
        },
    }


def _plain_public(public_key: PublicKey | None) -> dict[str, str] | None:
    return None if public_key is None else {"form": public_key.form, "data": public_key.data.hex()}


def _ring_key(key_id: str, content: Mapping[str, object]) -> RingKey:
    versions = content["versions"]
    rotation = content["rotation"]
    if not isinstance(versions, dict):
        raise TypeError
    return RingKey(
        {int(number): _version(key_id, int(number), each) for number, each in versions.items()},
        None if rotation is None else _rotation(rotation),
        content["is_destroyed"] is True,
    )


def _rotation(content: object) -> Rotation:
    if not isinstance(content, dict):
        raise TypeError
    return Rotation(
        _number(content["old"]),
        _number(content["new"]),
        Step(content["step"]),
        str(content["why"]),
        float(content["begun_seconds"]),
        content["destroys_old"] is True,
    )


def _version(key_id: str, number: int, content: Mapping[str, object]) -> Version:
    public = content["public_key"]
    since = content["since_seconds"]
    if not isinstance(since, int | float):
        raise TypeError
    made = None
    if isinstance(public, dict):
        made = PublicKey(key_id, number, str(public["form"]), bytes.fromhex(public["data"]))
    return Version(KeyState(str(content["state"])), float(since), made)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _key_id(key_id: str) -> str:
    if not KEY_ID.fullmatch(key_id):
        raise TypeError
    return key_id
