"""The simple mode for single fields: Fernet, with keys in a file, one a line, the newest first.

The first key seals, all of them open; a new key is a new first line. The file is 0600 and read again when
it changes. While it is away or holds no keys, those that it had serve on for an hour; then nothing is sealed,
and nothing is written in the clear either.
"""

from __future__ import annotations

import os
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

try:
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet
except ImportError as error:
    raise ImportError("cryptography is not installed; pip install 'logquake[keys]'") from error

from logging_system.encryption.envelope import SealError
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.disk import Identity, identity_in
from logging_system.spool.forks import forget_in_children

FERNET_VERSION = 0x80
"""The first byte of what Fernet seals; https://github.com/fernet/spec."""
_FILE_BYTES_MAX = 64 * 1024
_KEY_NAME = "fernet"
OUTAGE_SECONDS_MAX = 3600.0
"""How long keys are used after their file was last seen whole."""


class FernetKeys:
    """Fernet keys of a file.

    Args:
        path: The file.
        monotonic: The clock, in seconds.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._seen: tuple[Identity, MultiFernet] | None = None
        self._seen_seconds = float("-inf")
        self.forget()
        forget_in_children(self)
        # A process that has sealed nothing yet goes on as well, should the file go away.
        with suppress(KeyUnavailableError):
            self._fernet()

    def forget(self) -> None:
        """In a forked child: a thread that it does not have may hold the lock."""
        self._lock = threading.Lock()

    def seal(self, content: bytes) -> bytes:
        """Return what Fernet makes of the content, as bytes.

        Raises:
            KeyUnavailableError: The file cannot be used.
        """
        return urlsafe_b64decode(self._fernet().encrypt(content))

    def open(self, sealed: bytes) -> bytes:
        """Return the content.

        Raises:
            SealError: It was changed, or none of the keys sealed it.
            KeyUnavailableError: The file cannot be used.
        """
        try:
            return self._fernet().decrypt(urlsafe_b64encode(sealed))
        except InvalidToken:
            raise SealError(
                "no key of the file sealed this, or somebody changed it", key_id=_KEY_NAME
            ) from None

    def _fernet(self) -> MultiFernet:
        with self._lock:
            try:
                descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    status = os.fstat(descriptor)
                    identity = identity_in(status)
                    if status.st_mode & 0o077:
                        raise KeyUnavailableError(f"{self._path}: others may read it; chmod 600 {self._path}")
                    if self._seen is None or self._seen[0] != identity:
                        self._seen = identity, _keys(os.read(descriptor, _FILE_BYTES_MAX))
                finally:
                    os.close(descriptor)
            except OSError as error:
                return self._as_last_seen(f"{self._path}: {error.strerror}")
            except ValueError:
                return self._as_last_seen(f"{self._path}: a line is no Fernet key")
            self._seen_seconds = self._monotonic()
            return self._seen[1]

    def _as_last_seen(self, trouble: str) -> MultiFernet:
        if self._seen is None or self._monotonic() - self._seen_seconds >= OUTAGE_SECONDS_MAX:
            raise KeyUnavailableError(trouble)
        return self._seen[1]


def _keys(content: bytes) -> MultiFernet:
    lines = [line.strip() for line in content.splitlines()]
    return MultiFernet([Fernet(line) for line in lines if line and not line.startswith(b"#")])
