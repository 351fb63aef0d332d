"""Free loopback ports for the servers of a run."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

from harness.model.errors import UnavailableError

LOOPBACK = "127.0.0.1"

_LOWEST = 15_000
_HIGHEST_WITHOUT_KERNEL_ADVICE = 32_000
_ATTEMPTS_MAX = 2_000

_lock = threading.Lock()
_handed_out: set[int] = set()


def free_port() -> int:
    """Return a loopback port that nothing listens on and that this process has not handed out before.

    The ports lie below the kernel's range for outgoing connections (ip_local_port_range, ip(7)). A killed
    server's port inside that range can be taken by any connection before the server is back, and a client
    that keeps trying a dead port of that range ends up connected to itself.

    Raises:
        UnavailableError: no port is free.
    """
    highest = _highest_port()
    span = highest - _LOWEST
    # Harnesses that run side by side begin at different places, so that they rarely try the same port.
    first = os.getpid() * 7919 % span
    with _lock:
        for step in range(min(_ATTEMPTS_MAX, span)):
            port = _LOWEST + (first + step) % span
            if port not in _handed_out and _nothing_listens(port):
                _handed_out.add(port)
                return port
    raise UnavailableError(
        f"ports: none of {_ATTEMPTS_MAX} ports between {_LOWEST} and {highest} on {LOOPBACK} is free; "
        "end programs that hold many ports, `logquake doctor` names leftovers"
    )


def release_port(port: int) -> None:
    """Let a port be handed out again, once its server is gone for good."""
    with _lock:
        _handed_out.discard(port)


def _highest_port() -> int:
    try:
        lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _HIGHEST_WITHOUT_KERNEL_ADVICE
    # A machine whose outgoing range reaches far down leaves no room below it; then any port must do.
    return lowest_outgoing if lowest_outgoing > _LOWEST + _ATTEMPTS_MAX else 2 * _LOWEST


def _nothing_listens(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of an earlier server in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
