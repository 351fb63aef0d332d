"""The client against answers that no interceptor gives; `tests/contract/` has it against the program."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.model.errors import FaultError
from harness.processes.ports import free_port
from harness.targets.interceptor_client import InterceptorClient, InterceptorError, Rule


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
def test_answer_that_is_no_object_is_not_a_interceptors(body: bytes) -> None:
    with (
        scripted(answer(200, body)) as url,
        pytest.raises(InterceptorError, match="not an interceptor's API"),
    ):
        InterceptorClient(url).interceptors()


def test_refusal_is_told_with_the_interceptors_own_words() -> None:
    refusal = answer(409, b'{"error": "interceptor \'a\' is there already"}')

    with (
        scripted(refusal) as url,
        pytest.raises(InterceptorError, match="HTTP 409: interceptor 'a' is there already"),
    ):
        InterceptorClient(url).create("a", "127.0.0.1:0", "127.0.0.1:1")


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_interceptor_that_hangs_is_given_up_after_the_timeout(begun: bytes) -> None:
    with (
        scripted(begun, hangs=True) as url,
        pytest.raises(InterceptorError, match=r"no answer within 0\.1 s"),
    ):
        InterceptorClient(url, timeout_seconds=0.1).interceptors()


def test_address_where_nothing_listens_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(InterceptorError, match="Check that the interceptor runs"):
        InterceptorClient(url).interceptors()


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 256])
def test_name_that_no_path_can_hold_is_refused_before_it_is_sent(name: str) -> None:
    client = InterceptorClient("http://127.0.0.1:1")

    with pytest.raises(InterceptorError, match="without a slash"):
        client.put_rule(name, "rule", Rule("requests_refused"))
    with pytest.raises(InterceptorError, match="without a slash"):
        client.put_rule("interceptor", name, Rule("requests_refused"))


def test_counters_that_are_no_numbers_count_for_nothing() -> None:
    body = b'{"requests": 1, "rules": {"storm": {"refused": 2, "odd": "x"}}}'

    with scripted(answer(200, body)) as url:
        assert InterceptorClient(url).counters("a", "storm") == {"refused": 2}


def test_trouble_with_a_interceptor_is_a_fault_error() -> None:
    assert issubclass(InterceptorError, FaultError)
