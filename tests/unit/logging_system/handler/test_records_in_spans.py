"""A record logged inside a span carries that span's ids; a broken OpenTelemetry costs none."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import orjson
import pytest

from logging_system.records.record import Producer, capture, encode
from logging_system.records.trace_fields import trace_fields
from tests.unit.logging_system.handler.test_spool_handler import logger_with
from tests.unit.logging_system.spooling import read_all, reading

TRACE = "opentelemetry.trace"


def documents(folder: Path) -> dict[str, dict[str, Any]]:
    with reading(folder) as reader:
        found = [orjson.loads(document) for _sequence, document in read_all(reader)]
    return {document["message"]: document for document in found}


def place_of(document: dict[str, Any]) -> tuple[object, object, object]:
    labels = document.get("labels", {})
    return document.get("trace"), document.get("span"), labels.get("otel.flags")


@pytest.fixture(name="span")
def _span() -> Any:
    """What makes a span of given ids the current one, with the real API."""
    api = pytest.importorskip(TRACE)

    def current(trace_id: int, span_id: int, flags: int = 1) -> Any:
        context = api.SpanContext(trace_id, span_id, is_remote=False, trace_flags=api.TraceFlags(flags))
        return api.use_span(api.NonRecordingSpan(context))

    return current


def test_a_record_carries_the_span_it_was_logged_in(tmp_path: Path, span: Any) -> None:
    with logger_with(tmp_path) as (logger, _handler):
        with span(0xAB, 0x1):
            logger.info("outer", extra={"order": 7})
            with span(2**128 - 1, 2**64 - 1, flags=0):
                logger.info("inner")
        logger.info("outside")
    found = documents(tmp_path)

    assert place_of(found["outer"]) == ({"id": f"{0xAB:032x}"}, {"id": f"{1:016x}"}, 1)
    assert found["outer"]["labels"] == {"order": 7, "otel.flags": 1}
    assert place_of(found["inner"]) == ({"id": "f" * 32}, {"id": "f" * 16}, None)
    assert place_of(found["outside"]) == (None, None, None)


def log_in_threads(logger: logging.Logger, span: Any) -> None:
    barrier = threading.Barrier(4)

    def log(number: int) -> None:
        with span(number, number):
            barrier.wait(10)
            for turn in range(20):
                logger.info("thread %d %d", number, turn)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def log_in_tasks(logger: logging.Logger, span: Any) -> None:
    async def log(number: int) -> None:
        with span(number, number):
            for turn in range(20):
                logger.info("task %d %d", number, turn)
                await asyncio.sleep(0)

    await asyncio.gather(*(log(number) for number in range(101, 105)))


def test_threads_and_tasks_each_have_their_own_span(tmp_path: Path, span: Any) -> None:
    with logger_with(tmp_path) as (logger, _handler):
        log_in_threads(logger, span)
        asyncio.run(log_in_tasks(logger, span))
    found = documents(tmp_path)

    assert len(found) == 4 * 20 + 4 * 20
    for message, document in found.items():
        number = int(message.split()[1])
        assert place_of(document) == ({"id": f"{number:032x}"}, {"id": f"{number:016x}"}, 1)


def test_a_label_of_the_same_name_as_the_flags_is_kept_beside_them(tmp_path: Path, span: Any) -> None:
    with logger_with(tmp_path) as (logger, _handler), span(1, 2):
        logger.info("m", extra={"otel.flags": "mine"})

    assert documents(tmp_path)["m"]["labels"] == {"otel.flags": "mine", "otel.flags#2": 1}


def test_a_record_handed_on_by_another_thread_keeps_the_span_it_was_made_in() -> None:
    """As OpenTelemetry's logging instrumentation notes it, for a `QueueListener` for example."""
    noted = {"otelTraceID": "0" * 30 + "ab", "otelSpanID": "0" * 15 + "c", "otelTraceSampled": True}
    made = logging.makeLogRecord({"msg": "m", **noted})

    elsewhere = SimpleNamespace(trace_id=1, span_id=2, trace_flags=0)
    document = orjson.loads(encode(capture(made, span_context=elsewhere), 1, Producer("s", "e")))

    assert place_of(document) == ({"id": f"{0xAB:032x}"}, {"id": f"{0xC:016x}"}, 1)


@pytest.mark.parametrize(
    "noted",
    [
        {"otelTraceID": "0", "otelSpanID": "0"},
        {"otelTraceID": "none", "otelSpanID": "1"},
        {"otelTraceID": "1"},
        {"otelTraceID": "f" * 33, "otelSpanID": "1"},
    ],
)
def test_what_is_noted_and_is_no_span_leaves_the_current_one(noted: dict[str, object]) -> None:
    assert trace_fields(noted, None) is None
    assert trace_fields(noted, SimpleNamespace(trace_id=1, span_id=2, trace_flags=0)) is not None


class Raising:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("broken")


class Unready(ModuleType):
    """As a module looks to other threads while one imports it."""


def broken_apis() -> Iterator[tuple[str, object]]:
    yield "half loaded", Unready(TRACE)
    yield "no module", None
    yield "an object", object()
    yield "everything raises", Raising()
    invalid = object()
    contexts: dict[str, object] = {
        "raising": Raising(),
        "a text": "context",
        "zeros": SimpleNamespace(trace_id=0, span_id=0, trace_flags=0),
        "too large": SimpleNamespace(trace_id=2**128, span_id=1, trace_flags=0),
        "negative": SimpleNamespace(trace_id=-1, span_id=1, trace_flags=0),
        "no flags": SimpleNamespace(trace_id=1, span_id=1),
        "texts": SimpleNamespace(trace_id="one", span_id="two", trace_flags="none"),
        "nothing": None,
    }
    for name, context in contexts.items():
        span = SimpleNamespace(get_span_context=lambda context=context: context)
        yield (
            f"context: {name}",
            SimpleNamespace(INVALID_SPAN=invalid, get_current_span=lambda span=span: span),
        )


@pytest.mark.parametrize(
    ("name", "api"), list(broken_apis()), ids=lambda value: value if type(value) is str else ""
)
def test_a_broken_api_costs_no_record_and_says_nothing(
    name: str, api: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, TRACE, api)

    with logger_with(tmp_path) as (logger, handler):
        logger.info("kept")
        assert handler.flush()
        assert handler.stats().dropped == {}

    assert place_of(documents(tmp_path)["kept"]) == (None, None, None)
    assert capfd.readouterr() == ("", "")


def test_an_api_that_logs_when_asked_does_not_recurse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logger_with(tmp_path) as (logger, handler):

        def get_current_span() -> object:
            logger.error("asked")
            raise RuntimeError("broken")

        monkeypatch.setitem(sys.modules, TRACE, SimpleNamespace(get_current_span=get_current_span))
        logger.info("kept")
        assert handler.flush()

    assert "kept" in documents(tmp_path)
