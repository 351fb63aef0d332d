"""The gate's client against answers that no gate gives; `tests/contract/` has it against the program."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.model.errors import FaultError
from harness.processes.ports import free_port
from harness.targets.interceptor_client import ElasticGateClient, GateError, Rule


@contextmanager
def scripted(answer: bytes, *, hangs: bool = False) -> Iterator[str]:
    """The URL of a server that answers one request with these bytes, and then closes or hangs."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                connection.recv(65536)
                connection.sendall(answer)
                if hangs:
                    done.wait(5)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        thread.join(5)
        assert not thread.is_alive()


def answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d Words\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"7"])
def test_answer_that_is_no_object_is_not_a_gates(body: bytes) -> None:
    with scripted(answer(200, body)) as url, pytest.raises(GateError, match="not a gate's API"):
        ElasticGateClient(url).gates()


def test_refusal_is_told_with_the_gates_own_words() -> None:
    refusal = answer(409, b'{"error": "gate \'a\' is there already"}')

    with scripted(refusal) as url, pytest.raises(GateError, match="HTTP 409: gate 'a' is there already"):
        ElasticGateClient(url).create("a", "127.0.0.1:0", "127.0.0.1:1")


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_gate_that_hangs_is_given_up_after_the_timeout(begun: bytes) -> None:
    with scripted(begun, hangs=True) as url, pytest.raises(GateError, match=r"no answer within 0\.1 s"):
        ElasticGateClient(url, timeout_seconds=0.1).gates()


def test_address_where_nothing_listens_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(GateError, match="Check that the gate runs"):
        ElasticGateClient(url).gates()


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 256])
def test_name_that_no_path_can_hold_is_refused_before_it_is_sent(name: str) -> None:
    client = ElasticGateClient("http://127.0.0.1:1")

    with pytest.raises(GateError, match="without a slash"):
        client.put_rule(name, "rule", Rule("requests_refused"))
    with pytest.raises(GateError, match="without a slash"):
        client.put_rule("gate", name, Rule("requests_refused"))


def test_counters_that_are_no_numbers_count_for_nothing() -> None:
    body = b'{"requests": 1, "rules": {"storm": {"refused": 2, "odd": "x"}}}'

    with scripted(answer(200, body)) as url:
        assert ElasticGateClient(url).counters("a", "storm") == {"refused": 2}


def test_trouble_with_a_gate_is_a_fault_error() -> None:
    assert issubclass(GateError, FaultError)
