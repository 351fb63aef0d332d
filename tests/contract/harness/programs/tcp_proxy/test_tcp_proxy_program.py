"""What the TCP proxy does that the real Toxiproxy does not: its process, its limits, its strict mode."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from harness.targets.toxiproxy_client import ProxyAnswerError, Toxic, ToxiproxyClient
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import (
    START_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    Wire,
    carry,
    receive_to_end,
    tcp_proxy,
    wire,
)

__all__ = ["wire"]

COMMAND = [sys.executable, "-m", "harness.programs.tcp_proxy", "--port", "0"]
FREE = "127.0.0.1:0"
UPSTREAM = "127.0.0.1:1"


@pytest.fixture(scope="module")
def strict_url() -> Iterator[str]:
    with tcp_proxy("--strict", "--seed", "7") as url:
        yield url


@pytest.fixture
def client(strict_url: str) -> Iterator[ToxiproxyClient]:
    client = ToxiproxyClient(strict_url)
    yield client
    for name in client.list():
        client.delete(name)


def test_ready_line_names_the_address_and_the_process() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        version = ToxiproxyClient(ready["url"]).version()
        process.terminate()

    assert ready["ready"] is True
    assert ready["pid"] == process.pid
    assert version == "2.12.0"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_connections_open(signal_number: signal.Signals) -> None:
    with (
        subprocess.Popen(COMMAND, stdout=subprocess.PIPE) as process,
        socket.create_server(("127.0.0.1", 0)) as far,
    ):
        assert process.stdout is not None
        client = ToxiproxyClient(json.loads(process.stdout.readline())["url"])
        host, port = client.create("a", FREE, f"127.0.0.1:{far.getsockname()[1]}").listen.split(":")
        with socket.create_connection((host, int(port)), timeout=WAIT_SECONDS_MAX) as near:
            far.accept()[0].close()
            process.send_signal(signal_number)
            status = process.wait(WAIT_SECONDS_MAX)

            assert status == 0
            assert receive_to_end(near) == b""


def test_it_ends_with_its_lifeline() -> None:
    with subprocess.Popen([*COMMAND, "--lifeline"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.close()

        assert process.wait(WAIT_SECONDS_MAX) == 0


def test_taken_port_is_reported_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*COMMAND[:-1], port],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )

    assert ended.returncode == 7
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "--port" in ended.stderr


def test_body_is_bounded(client: ToxiproxyClient) -> None:
    answer = requests.post(f"{client.url}/proxies", data=b" " * 2_000_000, timeout=WAIT_SECONDS_MAX)

    assert answer.status_code == 413


@pytest.mark.parametrize("name", ["a/b", ".", "..", "x" * 256])
def test_name_that_could_never_be_deleted_is_refused(client: ToxiproxyClient, name: str) -> None:
    body = {"name": name, "listen": FREE, "upstream": UPSTREAM}

    assert requests.post(f"{client.url}/proxies", json=body, timeout=WAIT_SECONDS_MAX).status_code == 400
    assert client.list() == {}


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "example.org:0"])
def test_listening_beyond_loopback_is_refused(client: ToxiproxyClient, listen: str) -> None:
    with pytest.raises(ProxyAnswerError, match="loopback") as refused:
        client.create("a", listen, UPSTREAM)

    assert refused.value.status == 400


def test_upstream_that_is_no_address_looks_like_a_dead_one(client: ToxiproxyClient, wire: Wire) -> None:
    for number, upstream in enumerate(["nonsense", "x" * 300 + ":1", "127.0.0.1:99999"]):
        proxy = client.create(f"p{number}", FREE, upstream)
        host, port = proxy.listen.split(":")
        with socket.create_connection((host, int(port)), timeout=WAIT_SECONDS_MAX) as near:
            assert receive_to_end(near) == b""


def test_strict_reset_reaches_a_live_connection(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("reset", "reset_peer"))
    far.sendall(b"springs it")

    with pytest.raises(ConnectionResetError):
        receive_to_end(near)
    with pytest.raises(ConnectionResetError):
        receive_to_end(far)


def test_strict_reset_leaves_spared_connections_alone(wire: Wire) -> None:
    wire.client.add_toxic("wire", Toxic("reset", "reset_peer", toxicity=0.0))
    near, far = wire.live_pair()
    far.close()

    assert receive_to_end(near) == b""


def test_strict_timeout_removed_leaves_spared_connections_alone(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("hole", "timeout", toxicity=0.0))
    wire.client.remove_toxic("wire", "hole")

    assert carry(far, near, b"goes on") == b"goes on"


def test_strict_mode_refuses_unknown_attributes_and_toxicity_out_of_range(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    toxics = f"{client.url}/proxies/a/toxics"
    misspelt = {"type": "latency", "attributes": {"latencyy": 5}}

    statuses = [
        requests.post(toxics, json=body, timeout=WAIT_SECONDS_MAX).status_code
        for body in (misspelt, {"type": "latency", "toxicity": 1.5})
    ]

    assert statuses == [400, 400]
    assert client.get("a").toxics == ()


def fates(url: str) -> list[bool]:
    """Which of the first connections of a proxy a half-toxic toxic swallows."""
    client = ToxiproxyClient(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = client.create("fates", FREE, f"127.0.0.1:{listener.getsockname()[1]}")
        wire = Wire(client, proxy, listener)
        client.add_toxic("fates", Toxic("hole", "timeout", "upstream", toxicity=0.5))
        passed = []
        for _ in range(16):
            near, far = wire.pair()
            near.sendall(b"?")
            near.shutdown(socket.SHUT_WR)
            passed.append(receive_to_end(far) == b"?")
        wire.close()
    client.delete("fates")
    return passed


def test_strict_seed_decides_which_connections_a_toxic_takes() -> None:
    runs = []
    for seed in ("1", "1", "2"):
        with tcp_proxy("--strict", "--seed", seed) as url:
            runs.append(fates(url))

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert set(runs[0]) == {True, False}
