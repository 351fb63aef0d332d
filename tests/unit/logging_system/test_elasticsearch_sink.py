from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import orjson
import pytest

from logging_system.delivery.answers import Answer, Judged, NoAnswer, Unproved, judge
from logging_system.delivery.machine import Item
from logging_system.sinks.elasticsearch import ElasticsearchSink, encode_bulk
from logging_system.sinks.index_template import index_template

ITEMS = [Item(b"e" * 16, 1, b'{"message":"a"}'), Item(b"e" * 16, 2, b'{"message":"b"}')]
CREATED = b'{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}'


def http(body: bytes, status: bytes = b"200 OK", headers: bytes = b"", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s" % (
        status,
        size,
        headers,
        body,
    )


class Server:
    """A real socket on the loopback that answers every request with the same bytes."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.silent: list[socket.socket] = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            if self.answer is None:
                self.silent.append(connection)
                continue
            with closing(connection):
                self.requests.append(read_request(connection))
                connection.sendall(self.answer)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        for connection in self.silent:
            connection.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = [int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def store(answer: bytes | None) -> Iterator[tuple[Server, ElasticsearchSink]]:
    server = Server(answer)
    sink = ElasticsearchSink([server.url], "logs-app-prod", request_timeout_seconds=0.3)
    try:
        yield server, sink
    finally:
        sink.close()
        server.close()


def test_a_bulk_body_is_a_create_action_and_the_document_per_record() -> None:
    epoch = "65" * 16

    assert encode_bulk(ITEMS) == (
        b'{"create":{"_id":"%b-1"}}\n{"message":"a"}\n{"create":{"_id":"%b-2"}}\n{"message":"b"}\n'
        % (epoch.encode(), epoch.encode())
    )


def test_a_bulk_request_goes_to_the_stream_with_a_filter_that_keeps_positions() -> None:
    with store(http(CREATED)) as (server, sink):
        answer = sink.send(ITEMS)
    (request,) = server.requests

    assert isinstance(judge(answer, [item.id for item in ITEMS]), Judged)
    assert request.startswith(
        b"POST /logs-app-prod/_bulk?filter_path=errors,took,items.*._index,items.*.status,items.*.error,"
        b"items.*.failure_store HTTP/1.1\r\n"
    )
    assert b"application/x-ndjson" in request
    assert request.endswith(encode_bulk(ITEMS))


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>login</html>", headers=b"Content-Type: text/html\r\n"),
        http(CREATED[:-10]),
        http(CREATED, length=len(CREATED) + 50),
        http(CREATED, headers=b"Content-Encoding: gzip\r\n"),
        http(b"", b"503 Service Unavailable"),
        http(b"", b"302 Found", b"Location: http://127.0.0.1:1/\r\n"),
        b"",
        b"not http at all\r\n\r\n",
    ],
    ids=["html", "truncated", "cut by the connection", "lying gzip", "503", "redirect", "closed", "garbage"],
)
def test_a_broken_answer_over_a_real_socket_proves_nothing(answer: bytes) -> None:
    with store(answer) as (_server, sink):
        assert isinstance(judge(sink.send(ITEMS), [item.id for item in ITEMS]), Unproved)


def test_a_server_that_never_answers_is_given_up_after_the_timeout() -> None:
    with store(None) as (_server, sink):
        answer = sink.send(ITEMS)

    assert isinstance(answer, NoAnswer)
    assert "ConnectionTimeout" in answer.reason


def test_after_a_failure_the_next_node_is_asked() -> None:
    server = Server(http(CREATED))
    with closing(server), closing(socket.create_server(("127.0.0.1", 0))) as refused:
        address = f"http://127.0.0.1:{refused.getsockname()[1]}"
        refused.close()
        sink = ElasticsearchSink([address, server.url], "logs", request_timeout_seconds=1.0)
        first, second = sink.send(ITEMS), sink.send(ITEMS)
        sink.close()

    assert isinstance(first, NoAnswer)
    assert isinstance(second, Answer)


def test_headers_are_found_whatever_their_case() -> None:
    with store(http(b"", b"429 Too Many Requests", b"RETRY-AFTER: 7\r\n")) as (_server, sink):
        judged = judge(sink.send(ITEMS), [item.id for item in ITEMS])

    assert isinstance(judged, Unproved)
    assert judged.retry_after_seconds == 7.0


def test_preparing_puts_the_template_of_the_stream() -> None:
    with store(http(b'{"acknowledged":true}')) as (server, sink):
        assert sink.prepare() is None
    (request,) = server.requests

    assert request.startswith(b"PUT /_index_template/logging-system-logs-app-prod HTTP/1.1\r\n")
    assert orjson.loads(request.partition(b"\r\n\r\n")[2]) == index_template("logs-app-prod")


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (b"503 Unavailable", False),
        (b"401 Unauthorized", False),
        (b"400 Bad Request", True),
        (b"405 No", True),
    ],
)
def test_a_store_that_is_not_up_is_waited_for_and_one_without_templates_is_used(
    status: bytes, ready: bool
) -> None:
    with store(http(b"{}", status)) as (_server, sink):
        assert (sink.prepare() is None) is ready


def test_a_document_field_cannot_change_the_mapping() -> None:
    template = index_template("logs")

    assert template["template"]["mappings"]["dynamic"] is False  # type: ignore[index]
    assert template["index_patterns"] == ["logs"]


def test_credentials_in_a_url_become_a_header() -> None:
    server = Server(http(CREATED))
    with closing(server):
        sink = ElasticsearchSink(
            [server.url.replace("//", "//me:secret@")], "logs", request_timeout_seconds=1.0
        )
        sink.send(ITEMS)
        sink.close()

    assert b"authorization: basic bwu6c2vjcmv0" in server.requests[0].lower()
