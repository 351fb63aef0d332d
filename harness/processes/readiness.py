"""How a process shows that it serves: a URL that answers, or a text in its output."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

_LOG_READ_BYTES_MAX = 8 * 1024 * 1024
_LINE_BYTES_ASSUMED = 1024

# A server on this machine is asked directly, whatever proxy the surroundings configure.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str, timeout_seconds: float) -> bool:
    """Tell whether a GET of `url` is answered with a status below 400 within the timeout."""
    try:
        with _opener.open(url, timeout=timeout_seconds) as response:
            return bool(response.status < 400)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except (OSError, http.client.HTTPException):
        return False


def log_size(log: Path) -> int:
    """Return the size of a log in bytes, 0 where it does not exist yet."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def log_since(log: Path, offset: int) -> str:
    """Return what was written to a log after byte `offset`, at most 8 MiB of it."""
    try:
        with log.open("rb") as stream:
            stream.seek(offset)
            return stream.read(_LOG_READ_BYTES_MAX).decode(errors="replace")
    except FileNotFoundError:
        return ""


def last_lines(log: Path, count: int) -> str:
    """Return the last `count` lines of a log, each at most about 1 KiB on average."""
    with log.open("rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - count * _LINE_BYTES_ASSUMED))
        lines = stream.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-count:])
