"""Every server of ours gives TCP_NODELAY to what it accepts: no answer waits for an acknowledgement."""

from __future__ import annotations

import asyncio
import ctypes
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import harness.programs
from harness.processes.ports import free_port
from harness.programs import serving
from harness.programs.elastic_lite import __main__ as elastic_lite
from harness.targets.interceptor_client import InterceptorClient
from harness.targets.toxiproxy_client import ToxiproxyClient

WAIT_SECONDS_MAX = 10.0
FREE = "127.0.0.1:0"
SMTP_PORT = free_port()
# pidfd_getfd(2), which has this number on every architecture; Python does not wrap it.
PIDFD_GETFD = 438

Listener = Callable[[str, str], Sequence[str]]
"""Takes a program's URL and an upstream; returns every address (`host:port`) that it listens on."""


def _api_alone(url: str, upstream: str) -> Sequence[str]:
    return [urlsplit(url).netloc]


def _tcp_proxy(url: str, upstream: str) -> Sequence[str]:
    return [urlsplit(url).netloc, ToxiproxyClient(url).create("p", FREE, upstream).listen]


def _http_interceptor(url: str, upstream: str) -> Sequence[str]:
    return [urlsplit(url).netloc, InterceptorClient(url).create("i", FREE, upstream)]


def _smtp(url: str, upstream: str) -> Sequence[str]:
    return [urlsplit(url).netloc, f"127.0.0.1:{SMTP_PORT}"]


PROGRAMS: dict[str, tuple[Sequence[str], Listener]] = {
    "elastic_lite": (["--data", "data"], _api_alone),
    "tcp_proxy": ([], _tcp_proxy),
    "http_interceptor": ([], _http_interceptor),
    "transit_lite": ([], _api_alone),
    "smtp_lite": (["--data", "mail", "--smtp-port", str(SMTP_PORT)], _smtp),
    "webhook_receiver": (["--data", "received"], _api_alone),
}


def test_every_program_is_examined_here() -> None:
    folder = Path(next(iter(harness.programs.__path__)))
    assert {path.parent.name for path in folder.glob("*/__main__.py")} == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_program_accepts_has_tcp_nodelay(name: str, tmp_path: Path) -> None:
    arguments, listening = PROGRAMS[name]
    with _program(name, arguments, tmp_path) as (url, pid), socket.create_server(("127.0.0.1", 0)) as far:
        addresses = listening(url, f"127.0.0.1:{far.getsockname()[1]}")
        without = [address for address in addresses if not _accepts_with_nodelay(pid, address)]

    assert addresses
    assert without == []


@pytest.mark.parametrize("listen", [serving.listen, elastic_lite.listen])
def test_listener_asks_for_tcp_nodelay_on_any_event_loop(
    listen: Callable[[str, int], socket.socket],
) -> None:
    """A loop of uvloop sets it on everything, asyncio's own where the listener's protocol is TCP."""
    assert asyncio.run(asyncio.wait_for(_accepted_option(listen("127.0.0.1", 0)), WAIT_SECONDS_MAX)) != 0


async def _accepted_option(listener: socket.socket) -> int:
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(_nodelay(writer.get_extra_info("socket")))
        writer.close()

    async with await asyncio.start_server(accepted, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        option = await found
        writer.close()
    return option


@contextmanager
def _program(name: str, arguments: Sequence[str], folder: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", f"harness.programs.{name}", "--port", "0", "--lifeline", *arguments]
    pipe = subprocess.PIPE
    environment = {**os.environ, "TRANSIT_TOKEN": "root"}  # the key server wants one
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=folder, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"], process.pid
        finally:
            process.stdin.close()
            process.wait(WAIT_SECONDS_MAX)


def _accepts_with_nodelay(pid: int, address: str) -> bool:
    """Open a connection, and look at the program's end of it."""
    host, port = address.rsplit(":", 1)
    # A request, so that the program has surely accepted; a data connection may get no answer.
    client = http.client.HTTPConnection(host, int(port), timeout=0.5)
    try:
        client.request("GET", "/version")
        with suppress(TimeoutError, http.client.BadStatusLine):  # a mail server greets by a line of its own
            client.getresponse().read()
        assert client.sock is not None
        peer = client.sock.getsockname()
        options = [_nodelay(end) for end in _sockets_of(pid) if _peer(end) == peer]
        assert len(options) == 1, (
            f"{len(options)} sockets of the program belong to one connection to {address}"
        )
        return options != [0]
    finally:
        client.close()


def _nodelay(end: socket.socket) -> int:
    return end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def _peer(end: socket.socket) -> object:
    try:
        return end.getpeername()
    except OSError:
        return None  # a listener, or a socket of another kind


def _sockets_of(pid: int) -> Iterator[socket.socket]:
    """Yield copies of another process's sockets: options of a socket are shown nowhere else."""
    process = os.pidfd_open(pid)
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if str(entry.readlink()).startswith("socket:"):
                copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, int(entry.name), 0)
                if copy < 0:
                    pytest.skip(f"pidfd_getfd(2) is not permitted here: {os.strerror(ctypes.get_errno())}")
                with socket.socket(fileno=copy) as end:
                    yield end
    finally:
        os.close(process)
