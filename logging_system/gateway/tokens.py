"""Checks bearer tokens against a file, which may change while the gateway runs."""

from __future__ import annotations

import hmac
from pathlib import Path

TOKEN_CHARACTERS_MIN = 16


class TokenFileError(Exception):
    """The token file cannot be used."""


class Tokens:
    """The tokens of a file, one a line; read again when the file changes, so that tokens can be rotated.

    Args:
        path: The file; lines that are empty or begin with `#` are skipped.

    Raises:
        TokenFileError: The file cannot be read, is open to others, or holds no usable token.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tokens, self._stamp = _read(path)

    def allow(self, authorization: str) -> bool:
        """Tell whether an Authorization header carries one of the tokens, in constant time."""
        self._refresh()
        scheme, _, given = authorization.partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        found = [hmac.compare_digest(offered, token) for token in self._tokens]
        return scheme.lower() == "bearer" and any(found)

    def _refresh(self) -> None:
        try:
            if _stamp(self._path) != self._stamp:
                self._tokens, self._stamp = _read(self._path)
        except (OSError, TokenFileError):
            return  # a file that is being replaced: the tokens known so far hold until it can be read


def _read(path: Path) -> tuple[list[bytes], tuple[int, int, int]]:
    try:
        stamp = _stamp(path)
        if path.stat().st_mode & 0o077:
            raise TokenFileError(f"{path}: other users may read it; run chmod 600 {path}")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise TokenFileError(f"{path}: {error.strerror}") from error
    tokens = [line.strip() for line in lines if line.strip() and not line.startswith(b"#")]
    if not tokens:
        raise TokenFileError(f"{path}: contains no token; write one per line")
    if short := [token for token in tokens if len(token) < TOKEN_CHARACTERS_MIN]:
        raise TokenFileError(
            f"{path}: {len(short)} of its tokens have fewer than {TOKEN_CHARACTERS_MIN} characters; make one "
            'with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return tokens, stamp


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
