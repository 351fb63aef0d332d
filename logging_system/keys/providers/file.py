"""Keys in a local file: for one machine, and for whoever has a way of their own to keep such a file safe.

The file is 0600 and replaced as a whole (new file, fsync, rename, fsync of the folder); whoever changes it
holds `flock(2)` on `<file>.lock`. It is read again when it changes. Who can read it can read all that its
keys protect.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from logging_system.keys.derivation import derive
from logging_system.keys.durable_files import (
    LOCK_SECONDS_MAX,
    FileHeldError,
    file_lock,
    make_folder,
    replace_file,
)
from logging_system.keys.offline import unwrap_hpke, wrap_invalid
from logging_system.keys.provider import (
    DATA_KEY_BYTES,
    FORM_HPKE,
    FORM_PROVIDER,
    KeyMissingError,
    KeyVersions,
    ProviderRefusedError,
    ProviderUnavailableError,
    PublicKey,
    WrappedKey,
    checked_key_id,
)
from logging_system.keys.providers.key_file import (
    DESTROYED,
    SECRET_BYTES,
    KeyFileError,
    Keys,
    StoredKey,
    decode_keys,
    encode_keys,
)
from logging_system.keys.providers.version_errors import VersionState, destroyed, missing
from logging_system.keys.secret import Secret
from logging_system.spool.disk import REAL_DISK, Disk, Identity, identity_in
from logging_system.spool.forks import FORKS, forget_in_children

FILE_BYTES_MAX = 16 * 1024 * 1024
_NONCE_BYTES = 12
_LOOKS_MAX = 3


class FileProvider:
    """A key file on this machine.

    Args:
        path: The file; created by `create`.
        random_bytes: Where keys come from.
        lock_seconds_max: How long to wait for another process that changes the file.
        disk: The system calls.
    """

    name = "file"

    def __init__(
        self,
        path: Path,
        *,
        random_bytes: Callable[[int], bytes] = os.urandom,
        lock_seconds_max: float = LOCK_SECONDS_MAX,
        disk: Disk = REAL_DISK,
    ) -> None:
        self._path = path
        self._random_bytes = random_bytes
        self._lock_seconds_max = lock_seconds_max
        self._disk = disk
        self._seen: tuple[Identity, Keys] | None = None
        self._lock = threading.Lock()
        forget_in_children(self)

    def forget(self) -> None:
        """In a forked child: a thread that it does not have may hold the lock."""
        self._lock = threading.Lock()

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, object]) -> FileProvider:
        """Return the provider of a setting's other keys: `path`.

        Args:
            arguments: All keys of the setting but the provider's name.

        Raises:
            ValueError: `path` is missing, or there is a key that means nothing here.
        """
        path = arguments.get("path")
        if not isinstance(path, str | Path) or not str(path):
            raise ValueError("path: not given; name the key file, such as /etc/checkout/log-keys.json")
        if unknown := sorted(arguments.keys() - {"path"}):
            raise ValueError(f"{unknown[0]}: no such key; the provider file has path")
        return cls(Path(path).expanduser().absolute())

    def create(self, key_id: str) -> KeyVersions:
        """Make the key unless it exists; see `KeyProvider.create`."""
        checked_key_id(key_id)
        with self._changing(may_create=True) as keys:
            if key_id not in keys:
                keys[key_id] = StoredKey(1, 0, {}).with_version(self._new_secret())
            return _versions(self._usable(keys, key_id))

    def versions(self, key_id: str) -> KeyVersions:
        """Return which versions there are; see `KeyProvider.versions`."""
        return _versions(self._usable(self._read(), key_id))

    def rotate(self, key_id: str, *, newest: int) -> int:
        """Make the next version; see `KeyProvider.rotate`."""
        with self._changing() as keys:
            key = self._usable(keys, key_id)
            if key.newest <= newest:
                keys[key_id] = key = key.with_version(self._new_secret())
            return key.newest

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap by AES-256-GCM; see `KeyProvider.wrap`."""
        wrapping_key = derive(self._secret(key_id, version), b"wrap")
        nonce = os.urandom(_NONCE_BYTES)
        associated = _associated(key_id, version, context)
        data = nonce + AESGCM(wrapping_key.reveal()).encrypt(nonce, data_key.reveal(), associated)
        return WrappedKey(key_id, version, FORM_PROVIDER, data)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        """Return the data key; see `KeyProvider.unwrap`."""
        secret = self._secret(wrapped.key_id, wrapped.version)
        if wrapped.form == FORM_HPKE:
            return unwrap_hpke(_private_key(secret), wrapped, context)
        if wrapped.form != FORM_PROVIDER or len(wrapped.data) < _NONCE_BYTES:
            raise wrap_invalid(wrapped)
        nonce, sealed = wrapped.data[:_NONCE_BYTES], wrapped.data[_NONCE_BYTES:]
        cipher = AESGCM(derive(secret, b"wrap").reveal())
        try:
            data_key = Secret(
                cipher.decrypt(nonce, sealed, _associated(wrapped.key_id, wrapped.version, context))
            )
        except InvalidTag:
            raise wrap_invalid(wrapped) from None
        if len(data_key) != DATA_KEY_BYTES:
            raise wrap_invalid(wrapped)
        return data_key

    def public_key(self, key_id: str, version: int) -> PublicKey:
        """Return an X25519 key for HPKE; see `KeyProvider.public_key`."""
        data = _private_key(self._secret(key_id, version)).public_key().public_bytes_raw()
        return PublicKey(key_id, version, FORM_HPKE, data)

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        """Let older versions unwrap nothing any more; see `KeyProvider.raise_minimum`."""
        with self._changing() as keys:
            key = self._usable(keys, key_id)
            if not 1 <= version <= key.newest:
                raise missing(key_id, version)
            if version > key.minimum:
                keys[key_id] = key = StoredKey(version, key.newest, key.secrets)
            return _versions(key)

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        """Destroy versions, or the key; see `KeyProvider.destroy`."""
        with self._changing(overwrite=True) as keys:
            if key_id not in keys:
                raise missing(key_id)
            if through_version is None:
                keys[key_id] = DESTROYED
                return
            key = self._usable(keys, key_id)
            _state(key).require_unused(key_id, through_version)
            keys[key_id] = key.destroyed_through(through_version)

    def close(self) -> None:
        """Forget the keys; the next call reads them again."""
        self._seen = None

    def _new_secret(self) -> Secret:
        return Secret(self._random_bytes(SECRET_BYTES))

    def _usable(self, keys: Mapping[str, StoredKey], key_id: str) -> StoredKey:
        key = keys.get(key_id)
        if key is None:
            raise missing(key_id, where=str(self._path))
        if key.is_destroyed:
            raise destroyed(key_id)
        return key

    def _secret(self, key_id: str, version: int) -> Secret:
        key = self._usable(self._read(), key_id)
        if not 1 <= version <= key.newest:
            raise missing(key_id, version, where=str(self._path))
        _state(key).require(key_id, version)
        return key.secrets[version]

    def _read(self) -> Keys:
        try:
            seen = self._seen
            if seen is not None and seen[0] == self._disk.identity(self._path):
                return seen[1]
            for _ in range(_LOOKS_MAX):
                identity, data = self._content()
                if identity == self._disk.identity(self._path):
                    break  # else it was replaced while it was read
        except FileNotFoundError:
            raise self._no_file() from None
        except OSError as error:
            raise _trouble(self._path, error) from error
        try:
            keys = decode_keys(data)
        except KeyFileError as error:
            raise ProviderRefusedError(
                f"{self._path}: no key file: {error}; restore it from its backup"
            ) from None
        self._seen = identity, keys
        return keys

    def _content(self) -> tuple[Identity, bytes]:
        descriptor = self._disk.open(self._path, os.O_RDONLY)
        try:
            status = os.fstat(descriptor)
            self._refuse_others(status)
            if status.st_size > FILE_BYTES_MAX:
                raise ProviderRefusedError(f"{self._path}: larger than {FILE_BYTES_MAX} bytes; is this it?")
            return identity_in(status), self._disk.pread(descriptor, FILE_BYTES_MAX, 0)
        finally:
            self._disk.close(descriptor)

    def _refuse_others(self, status: os.stat_result) -> None:
        if status.st_mode & 0o077:
            raise ProviderRefusedError(
                f"{self._path}: mode {status.st_mode & 0o777:04o} lets others in; "
                f"chmod 600 {self._path}, and rotate its keys if others may have read it"
            )
        user = os.geteuid()
        if user != 0 and status.st_uid not in {0, user}:
            raise ProviderRefusedError(f"{self._path}: belongs to another user; chown it to this one")

    @contextlib.contextmanager
    def _changing(
        self, *, may_create: bool = False, overwrite: bool = False
    ) -> Iterator[dict[str, StoredKey]]:
        """Give the keys to be changed; they are written, if they changed, when the caller is done."""
        FORKS.notice()
        with self._lock, self._file_lock(may_create=may_create):
            try:
                before = dict(self._read())
            except KeyMissingError:
                if not may_create:
                    raise
                before = {}
            keys = dict(before)
            yield keys
            if keys != before:
                self._seen = None
                replace_file(self._path, encode_keys(keys), self._disk, wipe=overwrite)

    @contextlib.contextmanager
    def _file_lock(self, *, may_create: bool) -> Iterator[None]:
        try:
            if may_create:
                make_folder(self._path.parent, self._disk)
            with file_lock(self._path, self._disk, wait_seconds_max=self._lock_seconds_max):
                yield
        except FileHeldError as error:
            raise ProviderUnavailableError(str(error)) from None
        except FileNotFoundError:
            raise self._no_file() from None
        except OSError as error:
            raise _trouble(self._path, error) from error

    def _no_file(self) -> KeyMissingError:
        return KeyMissingError(
            f"{self._path}: no such key file; restore it, or: python -m logging_system keys create"
        )


def _versions(key: StoredKey) -> KeyVersions:
    return _state(key).versions


def _state(key: StoredKey) -> VersionState:
    return VersionState(min(key.secrets, default=key.newest + 1), key.minimum, key.newest)


def _private_key(secret: Secret) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(derive(secret, b"hpke").reveal())


def _associated(key_id: str, version: int, context: bytes) -> bytes:
    return f"{key_id}:{version}\0".encode() + context


def _trouble(path: Path, error: OSError) -> ProviderRefusedError | ProviderUnavailableError:
    what = f"{path}: {error.strerror}"
    if isinstance(error, PermissionError):
        return ProviderRefusedError(f"{what}; let this user read and replace it")
    return ProviderUnavailableError(what)
