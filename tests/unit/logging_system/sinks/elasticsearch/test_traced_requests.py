"""A traced bulk request carries W3C Trace Context, and its span says what the store answered."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

import orjson
import pytest

from logging_system.delivery.machine import Item, LookUp
from logging_system.monitoring.tracing import Attributes, SpanIds, Tracing, current_headers
from logging_system.shipping.request_pool import RequestPool
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.unit.logging_system.store_server import StoreServer, http

TRACEPARENT = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
IDS = SpanIds(int("a" * 32, 16), int("b" * 16, 16))
DOCUMENT = orjson.dumps({"message": "m", "trace": {"id": "a" * 32}, "span": {"id": "b" * 16}})
ITEMS = [Item(b"e" * 16, 1, DOCUMENT), Item(b"e" * 16, 2, b'{"message":"b"}')]
ANSWERED = b'{"errors":false,"took":31,"items":[{"create":{"status":201}},{"create":{"status":201}}]}'


class Noted:
    """A tracer, and its one span, that keeps what it is told."""

    traceparent = TRACEPARENT

    def __init__(self) -> None:
        self.links: list[SpanIds] = []
        self.attributes: dict[str, Any] = {}
        self.children: list[tuple[str, int]] = []
        self.ended: list[str] = []

    def begin(
        self, name: str, attributes: Attributes, links: Iterable[SpanIds], *, is_request: bool
    ) -> Noted:
        assert (name, is_request) in {("bulk", True), ("look up", False)}
        self.attributes |= attributes
        self.links += links
        return self

    def note(self, attributes: Attributes) -> None:
        self.attributes |= attributes

    def add_child(self, name: str, attributes: Attributes, start_ns: int, end_ns: int) -> None:
        self.children.append((name, end_ns - start_ns))

    def end(self, trouble: str) -> None:
        self.ended.append(trouble)

    def flush(self, within_seconds: float) -> bool:
        return True

    def close(self, within_seconds: float) -> None:
        pass


def sent(answer: bytes | None, items: list[Item]) -> tuple[Noted, bytes]:
    noted = Noted()
    with closing(StoreServer(answer)) as server:
        sink = ElasticsearchSink(
            [server.url], "logs-app-prod", request_timeout_seconds=0.3, tracing=Tracing(noted, 1.0)
        )
        with closing(sink):
            sink.send(items)
        return noted, b"".join(server.requests)


def test_the_request_carries_the_spans_context_and_the_span_the_stores_time() -> None:
    noted, request = sent(http(ANSWERED), ITEMS)

    assert f"traceparent: {TRACEPARENT}\r\n".encode() in request
    assert noted.links == [IDS]
    assert noted.children == [("index", 31_000_000)]
    assert noted.attributes["http.response.status_code"] == 200
    assert noted.attributes["logging_system.records"] == 2
    assert noted.ended == [""]


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (http(b'{"took":1}', b"503 Unavailable"), "HTTP 503"),
        (None, "no answer"),
        (http(b'{"errors":false,"items":[{"took":7}]}'), ""),
        (http(b"<html>"), ""),
    ],
)
def test_an_answer_that_tells_no_time_has_no_span_within(answer: bytes | None, trouble: str) -> None:
    noted, _request = sent(answer, ITEMS)

    assert noted.children == []
    assert noted.ended == [trouble]


def test_a_request_without_followed_records_is_sent_as_ever() -> None:
    noted, request = sent(http(ANSWERED), ITEMS[1:])

    assert b"traceparent" not in request
    assert noted.ended == []


def test_each_request_of_a_look_up_carries_the_context_of_its_span() -> None:
    """It asks for the indices, and then for the documents; neither is traced for records that are not."""
    noted = Noted()
    tracing = Tracing(noted, 1.0)
    with closing(StoreServer(http(b"{}"))) as server:
        sink = ElasticsearchSink([server.url], "logs-app-prod", tracing=tracing)
        with closing(sink):
            pool = RequestPool(sink, 1, lambda number: True, tracing)
            for number, items in enumerate((ITEMS, ITEMS[1:])):
                pool.carry(LookUp(number, tuple(items), ("index-1",)))
                pool.reports.get(timeout=20)
            pool.close()
        requests = b"".join(server.requests)

    assert requests.count(b"GET /_resolve/index/") == requests.count(b"POST /_mget") == 2
    assert requests.count(f"traceparent: {TRACEPARENT}\r\n".encode()) == 2
    assert noted.links == [IDS]
    assert noted.ended == ["not answered"]


def test_a_step_within_another_gives_its_place_back() -> None:
    tracing = Tracing(Noted(), 1.0)
    with tracing.look_up([DOCUMENT]):
        with tracing.bulk([ITEMS[1].document], "stream"):
            assert current_headers() == {"traceparent": TRACEPARENT}
        with tracing.bulk([DOCUMENT], "stream"):
            pass
        assert current_headers() == {"traceparent": TRACEPARENT}

    assert current_headers() == {}
