"""The interceptor as a process: its control API, and its transparency byte for byte without a rule."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson
import pytest
import requests

from harness.processes.ports import free_port
from harness.targets.interceptor_client import InterceptorClient, InterceptorError, Rule
from tests.contract.elasticsearch_fixture import (
    FREE,
    NDJSON,
    START_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    interceptor_program,
)

COMMAND = [sys.executable, "-m", "harness.programs.http_interceptor", "--port", "0"]


@dataclass
class Ends:
    """Both ends of connections through an interceptor; the test plays client and store."""

    listener: socket.socket
    address: tuple[str, int]
    opened: list[socket.socket] = field(default_factory=list)

    def connect(self) -> socket.socket:
        near = socket.create_connection(self.address, timeout=WAIT_SECONDS_MAX)
        self.opened.append(near)
        return near

    def accept(self) -> socket.socket:
        far, _ = self.listener.accept()
        far.settimeout(WAIT_SECONDS_MAX)
        self.opened.append(far)
        return far

    def close(self) -> None:
        for opened in [*self.opened, self.listener]:
            opened.close()


@pytest.fixture
def ends(interceptor_client: InterceptorClient) -> Iterator[Ends]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(WAIT_SECONDS_MAX)
    listen = interceptor_client.create("ends", FREE, f"127.0.0.1:{listener.getsockname()[1]}")
    host, port = listen.split(":")
    ends = Ends(listener, (host, int(port)))
    yield ends
    ends.close()


def receive(end: socket.socket, last: bytes) -> bytes:
    """Bytes until they end with `last`, or the stream ends."""
    received = b""
    while not received.endswith(last) and (chunk := end.recv(65536)):
        received += chunk
    return received


REQUEST = (
    b"POST /a/_bulk?x=%2Fy HTTP/1.1\r\nHost: store:9200\r\nX-MiXed: Case \xe9\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)
ANSWER = (
    b"HTTP/1.1 299 Odd Words\r\nX-MiXed: Case\r\nSet-Thing: 1\r\nSet-Thing: 2\r\nContent-Length: 3\r\n\r\nyes"
)


# --- the process -----------------------------------------------------------------------------------------


def test_ready_line_names_the_address_and_the_process() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        version = requests.get(f"{ready['url']}/version", timeout=WAIT_SECONDS_MAX).json()
        process.terminate()

    assert ready["ready"] is True
    assert ready["pid"] == process.pid
    assert version["program"] == "http_interceptor"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_an_exchange_under_way(signal_number: signal.Signals) -> None:
    with (
        interceptor_program() as (process, url),
        socket.create_server(("127.0.0.1", 0)) as store,
    ):
        interceptor_client = InterceptorClient(url)
        host, port = interceptor_client.create("a", FREE, f"127.0.0.1:{store.getsockname()[1]}").split(":")
        with socket.create_connection((host, int(port)), timeout=WAIT_SECONDS_MAX) as near:
            near.sendall(REQUEST)
            far, _ = store.accept()
            receive(far, b"hello")
            process.send_signal(signal_number)
            status = process.wait(WAIT_SECONDS_MAX)
            far.close()

            assert status == 0
            assert near.recv(100) == b""


def test_it_ends_with_its_lifeline() -> None:
    with subprocess.Popen([*COMMAND, "--lifeline"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.close()

        assert process.wait(WAIT_SECONDS_MAX) == 0


def test_address_that_is_taken_is_a_7_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*COMMAND[:-1], str(taken.getsockname()[1])]
        finished = subprocess.run(
            command, capture_output=True, text=True, timeout=START_SECONDS_MAX, check=False
        )

    assert finished.returncode == 7
    assert "choose another --port" in finished.stderr


# --- the control API -------------------------------------------------------------------------------------


def test_interceptors_and_rules_come_and_go(
    interceptor_client: InterceptorClient, interceptor_url: str
) -> None:
    listen = interceptor_client.create("a b?", FREE, "127.0.0.1:1")
    interceptor_client.put_rule("a b?", "storm #1", Rule("requests_refused", {"status": 503}, 0.5, 7))
    shown = requests.get(f"{interceptor_url}/interceptors", timeout=WAIT_SECONDS_MAX).json()
    interceptor_client.remove_rule("a b?", "storm #1")
    without_rule = requests.get(f"{interceptor_url}/interceptors/a b%3F", timeout=WAIT_SECONDS_MAX).json()
    interceptor_client.delete("a b?")

    assert shown["a b?"]["rules"]["storm #1"] == {
        "kind": "requests_refused",
        "arguments": {"status": 503, "retry_after_seconds": 0, "path": "_bulk"},
        "share": 0.5,
        "seed": 7,
        "path": "_bulk",
    }
    assert without_rule == {"name": "a b?", "listen": listen, "upstream": "127.0.0.1:1", "rules": {}}
    assert interceptor_client.interceptors() == []


@pytest.mark.parametrize(
    ("listen", "upstream", "complaint"),
    [
        ("0.0.0.0:0", "127.0.0.1:1", "loopback addresses only"),
        ("example.org:0", "127.0.0.1:1", "loopback addresses only"),
        ("127.0.0.1", "127.0.0.1:1", "listen must be host:port"),
        (FREE, "127.0.0.1:99999", "upstream must be host:port"),
    ],
)
def test_address_that_cannot_be_used_is_refused(
    interceptor_client: InterceptorClient, listen: str, upstream: str, complaint: str
) -> None:
    with pytest.raises(InterceptorError, match=complaint):
        interceptor_client.create("a", listen, upstream)


def test_name_address_and_rule_that_are_not_there_or_taken_are_told(
    interceptor_client: InterceptorClient,
) -> None:
    listen = interceptor_client.create("a", FREE, "127.0.0.1:1")

    with pytest.raises(InterceptorError, match="is there already"):
        interceptor_client.create("a", FREE, "127.0.0.1:1")
    with pytest.raises(InterceptorError, match="409"):
        interceptor_client.create("b", listen, "127.0.0.1:1")
    with pytest.raises(InterceptorError, match="no interceptor 'c'"):
        interceptor_client.delete("c")
    with pytest.raises(InterceptorError, match="no rule 'x'"):
        interceptor_client.remove_rule("a", "x")
    with pytest.raises(InterceptorError, match="400 to 599"):
        interceptor_client.put_rule("a", "x", Rule("requests_refused", {"status": 1}))
    assert interceptor_client.counters("a", "x") == {}


@pytest.mark.parametrize(("body", "status"), [(b"[]", 400), (b"{", 400), (b" " * 70_000, 413), (b"{}", 400)])
def test_body_that_is_no_interceptor_is_refused(
    interceptor_client: InterceptorClient, interceptor_url: str, body: bytes, status: int
) -> None:
    assert (
        requests.post(f"{interceptor_url}/interceptors", data=body, timeout=WAIT_SECONDS_MAX).status_code
        == status
    )


def test_browsers_are_turned_away(interceptor_url: str) -> None:
    answer = requests.get(
        f"{interceptor_url}/interceptors", headers={"User-Agent": "Mozilla/5.0"}, timeout=WAIT_SECONDS_MAX
    )

    assert answer.status_code == 403


# --- without a rule --------------------------------------------------------------------------------------


def test_request_and_answer_pass_byte_for_byte_and_the_connection_is_kept(ends: Ends) -> None:
    near = ends.connect()
    seen = []
    for _ in range(3):
        near.sendall(REQUEST)
        far = ends.opened[1] if len(ends.opened) > 1 else ends.accept()
        seen.append(receive(far, b"hello"))
        far.sendall(ANSWER)
        seen.append(receive(near, b"yes"))

    assert seen == [REQUEST, ANSWER] * 3


def test_it_tells_how_many_answers_came_and_when_it_was_last_connected_to(
    ends: Ends, interceptor_client: InterceptorClient
) -> None:
    told = [interceptor_client.traffic("ends")]
    before_ns = time.monotonic_ns()
    near = ends.connect()
    near.sendall(REQUEST)
    far = ends.accept()
    receive(far, b"hello")
    told.append(interceptor_client.traffic("ends"))
    far.sendall(ANSWER)
    receive(near, b"yes")
    told.append(interceptor_client.traffic("ends"))
    interceptor_client.put_rule("ends", "refuse", Rule("requests_refused", {"status": 503}))
    near.sendall(REQUEST)
    receive(near, b"}")
    told.append(interceptor_client.traffic("ends"))

    assert [(each.connections, each.answers) for each in told] == [(0, 0), (1, 0), (1, 1), (1, 1)]
    assert told[0].connected_ns == 0
    assert before_ns < told[1].connected_ns == told[3].connected_ns < time.monotonic_ns()


def test_chunks_pass_both_ways(ends: Ends) -> None:
    head = b"POST /_bulk HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n"
    near = ends.connect()
    near.sendall(head + b"3\r\nabc\r\n0\r\n\r\n")
    far = ends.accept()
    request = receive(far, b"0\r\n\r\n")
    far.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n")
    answer = receive(near, b"0\r\n\r\n")

    assert request == head + b"3\r\nabc\r\n0\r\n\r\n"
    assert answer == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"


def test_body_streams_before_its_end_is_there(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(b"POST /_bulk HTTP/1.1\r\nHost: s\r\nContent-Length: 6\r\n\r\nabc")
    far = ends.accept()
    first = receive(far, b"abc")
    near.sendall(b"def")
    rest = receive(far, b"def")
    far.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nuvw")
    begun = receive(near, b"uvw")
    far.sendall(b"xyz")

    assert first.endswith(b"abc")
    assert rest == b"def"
    assert begun.endswith(b"uvw")
    assert receive(near, b"xyz") == b"xyz"


def test_head_request_has_the_length_and_no_body(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(b"HEAD /a HTTP/1.1\r\nHost: s\r\n\r\n")
    far = ends.accept()
    receive(far, b"\r\n\r\n")
    far.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")

    assert receive(near, b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"


def test_packed_answer_is_left_as_it_is(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(REQUEST)
    far = ends.accept()
    receive(far, b"hello")
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x01"
    far.sendall(answer)

    assert receive(near, b"\x00\x01") == answer


def test_expectation_is_answered_by_the_store_alone(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(b"POST /_bulk HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    far = ends.accept()
    receive(far, b"\r\n\r\n")
    far.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    told = receive(near, b"\r\n\r\n")
    near.sendall(b"ok")

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert receive(far, b"ok") == b"ok"


def test_answer_before_the_end_of_its_request_arrives(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(b"POST /_bulk HTTP/1.1\r\nHost: s\r\nContent-Length: 1000000\r\n\r\n")
    far = ends.accept()
    receive(far, b"\r\n\r\n")
    far.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    far.close()

    assert receive(near, b"\r\n\r\n").startswith(b"HTTP/1.1 413 Too Large\r\n")


def test_large_bodies_pass_whole(elastic_lite_url: str, interceptor_client: InterceptorClient) -> None:
    listen = interceptor_client.create("large", FREE, urlsplit(elastic_lite_url).netloc)
    source = orjson.dumps({"text": "x" * 1_000_000})
    body = b"".join(b'{"create":{"_id":"%d"}}\n%s\n' % (number, source) for number in range(20))
    url = f"http://{listen}/large-bodies"
    headers = {"Content-Type": NDJSON}
    answer = requests.post(f"{url}/_bulk?refresh=true", data=body, headers=headers, timeout=30)
    found = requests.get(f"{url}/_search?size=20", timeout=30).json()
    requests.delete(url, timeout=30)

    assert answer.json()["errors"] is False
    assert {len(hit["_source"]["text"]) for hit in found["hits"]["hits"]} == {1_000_000}
    assert len(found["hits"]["hits"]) == 20


def test_store_that_is_not_there_is_a_closed_connection_and_no_answer(
    interceptor_client: InterceptorClient,
) -> None:
    host, listen = interceptor_client.create("dead", FREE, f"127.0.0.1:{free_port()}").split(":")
    with socket.create_connection((host, int(listen)), timeout=WAIT_SECONDS_MAX) as near:
        near.sendall(REQUEST)

        assert near.recv(100) == b""


@pytest.mark.parametrize("sent", [b"", ANSWER[:20], ANSWER[:-1]])
def test_store_that_ends_in_mid_answer_ends_the_client_there_too(ends: Ends, sent: bytes) -> None:
    near = ends.connect()
    near.sendall(REQUEST)
    far = ends.accept()
    receive(far, b"hello")
    far.sendall(sent)
    far.close()
    received = receive(near, b"never")

    assert len(received) < len(ANSWER)
    assert ANSWER.startswith(received)


def test_store_that_closes_an_idle_connection_closes_the_clients(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(REQUEST)
    far = ends.accept()
    receive(far, b"hello")
    far.sendall(ANSWER)
    receive(near, b"yes")
    far.close()

    assert near.recv(100) == b""


def test_client_that_leaves_ends_its_connection_to_the_store(ends: Ends) -> None:
    near = ends.connect()
    near.sendall(REQUEST)
    far = ends.accept()
    receive(far, b"hello")
    near.close()

    assert far.recv(100) == b""


def test_what_is_recorded_is_every_request_as_it_came(interceptor_client, tmp_path):
    path = tmp_path / "wire"
    listener = socket.create_server(("127.0.0.1", 0))
    upstream = f"127.0.0.1:{listener.getsockname()[1]}"
    listen = interceptor_client.create("recorded", FREE, upstream, str(path))
    host, port = listen.split(":")
    with listener, socket.create_connection((host, int(port)), timeout=WAIT_SECONDS_MAX) as near:
        near.sendall(REQUEST)
        far, _ = listener.accept()
        far.settimeout(WAIT_SECONDS_MAX)
        with far:
            assert receive(far, b"hello").endswith(b"hello")
            far.sendall(ANSWER)
            receive(near, b"yes")

    recorded = path.read_bytes()
    assert recorded.startswith(b"\nPOST /a/_bulk?x=%2Fy HTTP/1.1\r\n")
    assert recorded.endswith(b"\r\n\r\nhello")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_takes_no_recording(interceptor_client, tmp_path):
    (tmp_path / "taken").write_text("mine")

    with pytest.raises(InterceptorError, match="File exists"):
        interceptor_client.create("taken", FREE, "127.0.0.1:9", str(tmp_path / "taken"))
    assert (tmp_path / "taken").read_text() == "mine"
