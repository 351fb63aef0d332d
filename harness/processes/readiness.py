"""How a process shows that it serves: a URL that answers, a text in its output, or that it listens."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from harness import http_client

_LOG_READ_BYTES_MAX = 8 * 1024 * 1024
_LINE_BYTES_ASSUMED = 1024
_ANSWER_BYTES_MAX = 8 * 1024 * 1024


def answers(url: str, timeout_seconds: float) -> bool:
    """Tell whether a GET of `url` is answered with a status below 400 within the timeout.

    Args:
        url: http or https; redirects are not followed, and one counts as an answer.
        timeout_seconds: for the whole call.
    """
    try:
        answer = http_client.call(
            "GET", url, timeout_seconds=timeout_seconds, answer_bytes_max=_ANSWER_BYTES_MAX
        )
    except http_client.TooLongError as error:
        return error.status < 400
    except http_client.HttpError:
        return False
    return answer.status < 400


def listens(address: str, timeout_seconds: float) -> bool:
    """Tell whether a TCP connection to `host:port` is taken within the timeout.

    Args:
        address: `host:port`, the port after the last colon.
        timeout_seconds: for each address that the host's name stands for.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=timeout_seconds):
            return True
    except OSError:
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
