"""What a server of this process has set on the connections it accepted, seen through its descriptors."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

_LOOKS_MAX = 200
_LOOK_SECONDS = 0.01


def sends_at_once(client: socket.socket) -> bool:
    """Tell whether the other end of a connection, accepted in this process, gets TCP_NODELAY.

    A server may set it only when it begins with the connection, so it is waited for.

    Args:
        client: This end.
    """
    for _ in range(_LOOKS_MAX):
        if any(_is_set(accepted, client) for accepted in _sockets()):
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _is_set(accepted: socket.socket, client: socket.socket) -> bool:
    with accepted:
        if _peer(accepted) != client.getsockname():
            return False
        return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def _sockets() -> Iterator[socket.socket]:
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(link).startswith("socket:"):  # noqa: PTH115 - the target is no path
                yield socket.socket(fileno=os.dup(int(link.name)))


def _peer(found: socket.socket) -> object:
    try:
        return found.getpeername() if found.family in (socket.AF_INET, socket.AF_INET6) else None
    except OSError:  # a listener has none
        return None
