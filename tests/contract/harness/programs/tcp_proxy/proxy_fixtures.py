"""Proxy servers to run the contract against, and both ends of a connection through them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.deployments.installed import find
from harness.processes.ports import free_port, release_port
from harness.targets.toxiproxy_client import Proxy, ProxyError, ToxiproxyClient

START_SECONDS_MAX = 20.0
# How long a test waits for bytes that are on their way; none waits this long unless it fails.
WAIT_SECONDS_MAX = 10.0


@contextmanager
def tcp_proxy(*arguments: str) -> Iterator[str]:
    """The URL of a TCP proxy that lives as long as the block."""
    command = [sys.executable, "-m", "harness.programs.tcp_proxy", "--port", "0", "--lifeline", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.stdin.close()
            process.wait(WAIT_SECONDS_MAX)


@contextmanager
def real_toxiproxy(path: Path) -> Iterator[str]:
    """The URL of a real Toxiproxy that lives as long as the block."""
    port = free_port()
    command = [str(path), "-host", "127.0.0.1", "-port", str(port)]
    environment = {**os.environ, "LOG_LEVEL": "error"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(url)
            yield url
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS_MAX)


def _wait_until_it_answers(url: str) -> None:
    client = ToxiproxyClient(url)
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            client.version()
        except ProxyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def toxiproxy_binary() -> Path:
    """The real server's program; skips the test without it, fails where the real servers are required."""
    if chosen := os.environ.get("LOGQUAKE_TEST_TOXIPROXY"):
        return Path(chosen)
    installed = find("toxiproxy")
    if installed is not None:
        return installed.path
    reason = "the real Toxiproxy is not installed; run `make servers`"
    if os.environ.get("LOGQUAKE_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session", params=["embedded", pytest.param("toxiproxy", marks=pytest.mark.servers)])
def proxy_url(request: pytest.FixtureRequest) -> Iterator[str]:
    server = tcp_proxy() if request.param == "embedded" else real_toxiproxy(toxiproxy_binary())
    with server as url:
        yield url


@pytest.fixture
def client(proxy_url: str) -> Iterator[ToxiproxyClient]:
    """A client of a server without proxies."""
    client = ToxiproxyClient(proxy_url, timeout_seconds=WAIT_SECONDS_MAX)
    yield client
    for name in client.list():
        client.delete(name)


@dataclass
class Wire:
    """A proxied address and the server behind it; the test plays both ends."""

    client: ToxiproxyClient
    proxy: Proxy
    listener: socket.socket
    _opened: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.proxy.listen.rsplit(":", 1)
        return host, int(port)

    def connect(self) -> socket.socket:
        """The client's end; the server has not accepted yet."""
        near = socket.create_connection(self.address, timeout=WAIT_SECONDS_MAX)
        self._opened.append(near)
        return near

    def accept(self) -> socket.socket:
        """The server's end of the oldest connection."""
        far, _ = self.listener.accept()
        far.settimeout(WAIT_SECONDS_MAX)
        self._opened.append(far)
        return far

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new connection: client, server."""
        near = self.connect()
        return near, self.accept()

    def live_pair(self) -> tuple[socket.socket, socket.socket]:
        """Both ends of a connection that has carried a byte each way."""
        near, far = self.pair()
        for sender, receiver in ((near, far), (far, near)):
            sender.sendall(b"!")
            assert receiver.recv(1) == b"!"
        return near, far

    def close(self) -> None:
        for opened in [*self._opened, self.listener]:
            opened.close()


@pytest.fixture
def wire(client: ToxiproxyClient) -> Iterator[Wire]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(WAIT_SECONDS_MAX)
    # Of the ports that are given for 0, one that a test lets go for a moment may be another connection's.
    port = free_port()
    proxy = client.create("wire", f"127.0.0.1:{port}", f"127.0.0.1:{listener.getsockname()[1]}")
    wire = Wire(client, proxy, listener)
    yield wire
    wire.close()
    release_port(port)


def receive_exactly(receiver: socket.socket, size: int) -> bytes:
    """Bytes up to `size`, fewer when the stream ends before."""
    received = bytearray()
    while len(received) < size and (chunk := receiver.recv(65536)):
        received += chunk
    return bytes(received)


def receive_to_end(receiver: socket.socket) -> bytes:
    """All bytes until the end of the stream; a reset raises ConnectionResetError."""
    received = bytearray()
    while chunk := receiver.recv(65536):
        received += chunk
    return bytes(received)


def carry(sender: socket.socket, receiver: socket.socket, data: bytes) -> bytes:
    """Send from another thread what is too much for the buffers between, and return what arrived."""
    sending = threading.Thread(target=sender.sendall, args=(data,), daemon=True)
    sending.start()
    received = receive_exactly(receiver, len(data))
    sending.join(WAIT_SECONDS_MAX)
    return received


def send_until_held_back(sender: socket.socket, bytes_max: int, patience_seconds: float) -> int:
    """Send until the other side takes no more for that long; how many bytes it took."""
    sender.settimeout(patience_seconds)
    sent = 0
    try:
        while sent < bytes_max:
            sent += sender.send(bytes(1024 * 1024))
    except TimeoutError:
        return sent
    finally:
        sender.settimeout(WAIT_SECONDS_MAX)
    pytest.fail(f"nothing held the sender back within {bytes_max} bytes")


def nothing_arrives(receiver: socket.socket, seconds: float) -> bool:
    """Whether the receiver stays without bytes and without an end for that long."""
    receiver.settimeout(seconds)
    try:
        receiver.recv(1)
    except TimeoutError:
        return True
    finally:
        receiver.settimeout(WAIT_SECONDS_MAX)
    return False


@contextmanager
def at_least(seconds: float) -> Iterator[None]:
    """The block must not be done sooner."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start >= seconds
