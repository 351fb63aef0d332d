"""A key server that says nothing is waited for once, and then left alone for a while."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from logging_system.keys.provider import ProviderUnavailableError
from logging_system.keys.providers.key_server import KeyServer


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and never answers one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def asked(listener: socket.socket, *clock_seconds: float) -> tuple[KeyServer, str]:
    """A server that was asked once, by a clock that shows these times, and what came of it."""
    times = iter(clock_seconds)
    port = listener.getsockname()[1]
    server = KeyServer(f"http://127.0.0.1:{port}", timeout_seconds=0.2, monotonic=lambda: next(times))
    return server, trouble(server)


def trouble(server: KeyServer) -> str:
    with pytest.raises(ProviderUnavailableError) as raised:
        server.ask("GET", "/", {})
    return str(raised.value)


def connections(listener: socket.socket) -> int:
    listener.settimeout(0)
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_server_that_says_nothing_is_not_asked_again_for_four_times_as_long(silent: socket.socket) -> None:
    server, first = asked(silent, 100, 105, 124.9, 125, 130)
    second, third = trouble(server), trouble(server)

    assert "no answer within 0.2 s" in first
    assert "asked again in 0.1 s" in second
    assert "no answer within 0.2 s" in third
    assert connections(silent) == 2


def test_a_server_that_refuses_at_once_is_asked_again_at_once(silent: socket.socket) -> None:
    port = silent.getsockname()[1]
    silent.close()
    server = KeyServer(f"http://127.0.0.1:{port}", timeout_seconds=0.2, monotonic=lambda: 100.0)

    assert trouble(server) == trouble(server)
    assert "refused" in trouble(server)
