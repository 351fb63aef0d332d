"""A file that takes all requests as they come, so that others can look for what must not be in them."""

from __future__ import annotations

import os

from harness.programs.http_interceptor.errors import ApiError

RECORDED_BYTES_MAX = 1 << 30


class Recording:
    """Appends bytes to a file that only its owner may read, up to a bound.

    Args:
        path: the file, which must not be there yet.

    Raises:
        ApiError: it cannot be made (400).
    """

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ApiError(400, f"record {path}: {error.strerror or error}") from error
        self._left_bytes = RECORDED_BYTES_MAX

    def add(self, data: bytes) -> bool:
        """Append bytes; return whether they were taken whole."""
        self._left_bytes -= len(data)
        if self._left_bytes < 0 or self._file < 0:
            return False
        try:
            return os.write(self._file, data) == len(data)
        except OSError:
            return False

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
