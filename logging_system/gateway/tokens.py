"""Checks bearer tokens against a file, which may change while the gateway runs.

```
# one a line; with a namespace behind it, everything sent with the token belongs to that namespace
Zq0S…
9rWx… namespace=team_a
```
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

TOKEN_CHARACTERS_MIN = 16


_NAMESPACE = re.compile(rb"(\S+)[ \t]+namespace=(\S+)")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows.

    Attributes:
        namespace: The only namespace that it may write; empty where records may ask for each declared one.
    """

    namespace: str = ""


class TokenFileError(Exception):
    """The token file cannot be used."""


class Tokens:
    """The tokens of a file, one a line; read again when the file changes, so that tokens can be rotated.

    Args:
        path: The file; lines that are empty or begin with `#` are skipped.
        namespaces: Those that tokens may be bound to.

    Raises:
        TokenFileError: The file cannot be read, is open to others, or holds no usable token.
    """

    def __init__(self, path: Path, namespaces: Collection[str] = ()) -> None:
        self._path = path
        self._namespaces = frozenset(namespaces)
        self._tokens, self._stamp = _read(path, self._namespaces)

    def allow(self, authorization: str) -> Grant | None:
        """Return what the token of an Authorization header allows, in constant time; None for no token."""
        self._refresh()
        scheme, _, given = authorization.partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        found = [hmac.compare_digest(offered, token) for token in self._tokens]
        if scheme.lower() != "bearer" or not any(found):
            return None
        return list(self._tokens.values())[found.index(True)]

    def _refresh(self) -> None:
        try:
            if _stamp(self._path) != self._stamp:
                self._tokens, self._stamp = _read(self._path, self._namespaces)
        except (OSError, TokenFileError):
            return  # a file that is being replaced: the tokens known so far hold until it can be read


def _read(path: Path, namespaces: Collection[str]) -> tuple[dict[bytes, Grant], tuple[int, int, int]]:
    try:
        stamp = _stamp(path)
        if path.stat().st_mode & 0o077:
            raise TokenFileError(f"{path}: other users may read it; run chmod 600 {path}")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise TokenFileError(f"{path}: {error.strerror}") from error
    tokens: dict[bytes, Grant] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith(b"#"):
            token, grant = _granted(line.strip(), f"{path}:{number}", namespaces)
            if tokens.setdefault(token, grant) != grant:
                raise TokenFileError(f"{path}:{number}: the same token has another namespace above")
    if not tokens:
        raise TokenFileError(f"{path}: contains no token; write one per line")
    if short := [token for token in tokens if len(token) < TOKEN_CHARACTERS_MIN]:
        raise TokenFileError(
            f"{path}: {len(short)} of its tokens have fewer than {TOKEN_CHARACTERS_MIN} characters; make one "
            'with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return tokens, stamp


def _granted(line: bytes, where: str, namespaces: Collection[str]) -> tuple[bytes, Grant]:
    found = _NAMESPACE.fullmatch(line)
    if found is None:
        return line, Grant()
    namespace = found[2].decode("utf-8", "replace")
    if namespace not in namespaces:
        raise TokenFileError(
            f"{where}: namespace {namespace[:100]!r} is not declared; add it to the setting namespaces "
            f"(now {', '.join(sorted(namespaces)) or 'empty'})"
        )
    return found[1], Grant(namespace)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
