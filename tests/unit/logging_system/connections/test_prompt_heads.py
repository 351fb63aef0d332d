from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from logging_system.connections.prompt_heads import PromptHeads

HEAD_SECONDS = 0.4
ANSWER_SECONDS = 3 * HEAD_SECONDS
WAIT_SECONDS = 20.0
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Hasty(PromptHeads):
    head_seconds_max = HEAD_SECONDS


async def slow(scope: Any, receive: Any, send: Any) -> None:
    """Answer later than a head may take."""
    await asyncio.sleep(ANSWER_SECONDS)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(
        slow, http=Hasty, ws="none", lifespan="off", log_level="critical", timeout_keep_alive=60
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(WAIT_SECONDS)


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as made:
        yield made


def test_who_says_nothing_is_let_go(connection: socket.socket) -> None:
    began = time.monotonic()

    assert connection.recv(1) == b""
    assert time.monotonic() - began >= 0.9 * HEAD_SECONDS


def test_who_drips_a_head_wins_no_time_by_it(connection: socket.socket) -> None:
    connection.settimeout(HEAD_SECONDS / 8)
    dripped = 0
    until = time.monotonic() + WAIT_SECONDS
    connection.sendall(b"GET / HTTP/1.1\r\nX: ")
    with suppress(ConnectionError):
        while time.monotonic() < until:
            with suppress(TimeoutError):
                assert connection.recv(1) == b""
                break
            connection.sendall(b"x")
            dripped += 1

    assert dripped > 0
    assert time.monotonic() < until


def test_an_answer_may_take_longer_than_a_head_and_the_connection_stays(connection: socket.socket) -> None:
    for _ in range(2):
        connection.sendall(REQUEST)
        told = b""
        while not told.endswith(b"done"):
            told += connection.recv(1_000)
        assert told.startswith(b"HTTP/1.1 200 OK\r\n")
        time.sleep(1.5 * HEAD_SECONDS)  # idle between two requests, which uvicorn bounds by itself


def test_a_second_head_must_come_as_promptly(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    told = b""
    while not told.endswith(b"done"):
        told += connection.recv(1_000)
    connection.sendall(REQUEST[:10])

    assert connection.recv(1) == b""
