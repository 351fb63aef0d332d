from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import OneForEach, Unknown
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.bulk_body import BulkBody
from logging_system.sinks.elasticsearch.node import ANSWER_BYTES_MAX
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.unit.logging_system.store_server import CREATED, ITEMS, Answering, StoreServer, http


@contextmanager
def store(
    answer: bytes | Answering | None, *, gzip: bool = False
) -> Iterator[tuple[StoreServer, ElasticsearchSink]]:
    server = StoreServer(answer)
    sink = ElasticsearchSink([server.url], "logs-app-prod", request_timeout_seconds=0.3, gzip=gzip)
    try:
        yield server, sink
    finally:
        sink.close()
        server.close()


def test_a_bulk_request_goes_to_the_stream_with_a_filter_that_keeps_positions() -> None:
    with store(http(CREATED)) as (server, sink):
        answer = sink.send(ITEMS)
    (request,) = server.requests

    assert isinstance(answer, OneForEach)
    assert request.startswith(
        b"POST /logs-app-prod/_bulk?filter_path=errors,took,items.*._index,items.*._id,items.*.status,"
        b"items.*.error,items.*.failure_store HTTP/1.1\r\n"
    )
    assert b"application/x-ndjson" in request
    assert request.endswith(b"".join(BulkBody(ITEMS, runs_of(ITEMS))))


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>login</html>", headers=b"Content-Type: text/html\r\n"),
        http(CREATED[:-10]),
        http(CREATED, length=len(CREATED) + 50, headers=b"Connection: close\r\n"),
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
        assert isinstance(sink.send(ITEMS), Unknown)


def test_a_server_that_never_answers_is_given_up_after_the_timeout() -> None:
    with store(None) as (_server, sink):
        answer = sink.send(ITEMS)

    assert isinstance(answer, Unknown)
    assert "no complete answer within 0.3 s" in answer.reason
    assert answer.may_have_stored is True


def test_after_a_failure_the_next_node_is_asked() -> None:
    server = StoreServer(http(CREATED))
    with closing(server), closing(socket.create_server(("127.0.0.1", 0))) as refused:
        address = f"http://127.0.0.1:{refused.getsockname()[1]}"
        refused.close()
        sink = ElasticsearchSink([address, server.url], "logs", request_timeout_seconds=1.0)
        answers = [sink.send(ITEMS) for _ in range(4)]
        sink.close()

    assert [answer.may_have_stored for answer in answers if isinstance(answer, Unknown)] == [False]
    assert isinstance(answers[-1], OneForEach)


def test_headers_are_found_whatever_their_case() -> None:
    with store(http(b"", b"429 Too Many Requests", b"RETRY-AFTER: 7\r\n")) as (_server, sink):
        verdict = sink.send(ITEMS)

    assert isinstance(verdict, Unknown)
    assert verdict.retry_after_seconds == 7.0


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


def test_credentials_in_a_url_become_a_header() -> None:
    server = StoreServer(http(CREATED))
    with closing(server):
        sink = ElasticsearchSink(
            [server.url.replace("//", "//me:secret@")], "logs", request_timeout_seconds=1.0
        )
        sink.send(ITEMS)
        sink.close()

    assert b"authorization: basic bwu6c2vjcmv0" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        (b"", b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" " * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 200),
    ],
    ids=["head", "body", "chunks"],
)
def test_an_answer_that_drips_is_given_up_when_the_request_has_had_its_time(
    at_once: bytes, slowly: bytes
) -> None:
    def answer_slowly(_request: bytes) -> Iterator[bytes]:
        yield at_once
        for place in range(len(slowly)):
            if server.wait(0.05):
                return
            yield slowly[place : place + 1]

    with store(answer_slowly) as (server, sink):
        answer = sink.send(ITEMS)

    assert isinstance(answer, Unknown)
    assert "no complete answer within 0.3 s" in answer.reason


PACKED_MEBIBYTE = gzip.compress(bytes(1 << 20))


@pytest.mark.parametrize(
    ("head", "part", "parts"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: %b\r\n" % (b"a" * 60_000), 1_500),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", bytes(1 << 20), 100),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * (1 << 20), 100),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
            % (100 * len(PACKED_MEBIBYTE)),
            PACKED_MEBIBYTE,
            100,
        ),
    ],
    ids=["headers", "body", "chunk size", "gzip"],
)
def test_an_answer_without_end_is_given_up_at_a_size_and_not_kept(
    head: bytes, part: bytes, parts: int
) -> None:
    server = StoreServer(lambda _request: iter([head, *[part] * parts]))
    sink = ElasticsearchSink([server.url], "logs", request_timeout_seconds=30.0)
    tracemalloc.start()
    with closing(server), closing(sink):
        answer = sink.send(ITEMS)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(answer, Unknown)
    assert "30 s" not in answer.reason
    assert not answer.reason.startswith("HTTP")
    assert peak_bytes < 4 * ANSWER_BYTES_MAX


def test_a_packed_answer_is_read() -> None:
    packed = http(gzip.compress(CREATED), headers=b"Content-Encoding: gzip\r\n")
    with store(packed) as (_server, sink):
        assert isinstance(sink.send(ITEMS), OneForEach)


def test_bodies_are_packed_only_when_asked_and_worth_it() -> None:
    large = [Item(b"e" * 16, number, b'{"message":"%b"}' % (b"a" * 100)) for number in range(100)]
    with store(http(CREATED), gzip=True) as (server, sink):
        sink.send(ITEMS)
        sink.send(large)
    small_request, large_request = server.requests
    head, _, body = large_request.partition(b"\r\n\r\n")

    assert b"content-encoding" not in small_request.lower()
    assert b"content-encoding: gzip" in head.lower()
    assert zlib.decompress(body, wbits=31) == b"".join(BulkBody(large, runs_of(large)))


def test_connections_are_kept_between_requests() -> None:
    with store(http(CREATED)) as (server, sink):
        for _ in range(5):
            sink.send(ITEMS)

    assert len(server.requests) == 5
    assert server.connections == 1


def test_nothing_of_an_answer_given_up_is_taken_for_the_next_one() -> None:
    parts = [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"],
        [http(CREATED)],
    ]

    def answer_first_in_part(_request: bytes) -> Iterator[bytes]:
        yield from parts.pop(0)
        if len(parts) == 1:
            server.wait(1.0)

    with store(answer_first_in_part) as (server, sink):
        first, second = sink.send(ITEMS), sink.send(ITEMS)

    assert isinstance(first, Unknown)
    assert isinstance(second, OneForEach)


def test_a_failed_node_is_skipped_while_others_answer() -> None:
    failing, healthy = StoreServer(http(b"", b"503 Unavailable")), StoreServer(http(CREATED))
    with closing(failing), closing(healthy):
        sink = ElasticsearchSink([failing.url, healthy.url], "logs", monotonic=lambda: 5.0)
        for _ in range(9):
            sink.send(ITEMS)
        sink.close()

    assert (len(failing.requests), len(healthy.requests)) == (1, 8)


@pytest.mark.parametrize(
    "url", ["ftp://me:secret-word@localhost", "localhost:9200", "http://", "https://:9200"]
)
def test_a_url_that_names_no_node_is_refused_without_its_credentials(url: str) -> None:
    with pytest.raises(ValueError, match="is not a node URL") as refusal:
        ElasticsearchSink([url], "logs")

    assert "secret-word" not in str(refusal.value)


def test_no_node_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one URL"):
        ElasticsearchSink([], "logs")
