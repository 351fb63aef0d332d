"""What the pipeline traces of itself: which records are followed, and what their spans say."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.config.settings import Settings
from logging_system.config.tracing import tracing_of
from logging_system.monitoring._otel import open_tracer
from logging_system.monitoring.events import Event
from logging_system.monitoring.otlp_file import OtlpFile
from logging_system.monitoring.tracing import (
    LINKS_MAX,
    NO_TRACING,
    Attributes,
    OpenSpan,
    SpanIds,
    Tracing,
    followed_span,
)

trace = pytest.importorskip("opentelemetry.trace")
sdk = pytest.importorskip("opentelemetry.sdk.trace")

ALL = 2**64
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
IDS = SpanIds(int(TRACE, 16), int(SPAN, 16))


def document(trace_id: str = TRACE, span_id: str = SPAN, **further: object) -> bytes:
    return orjson.dumps({"message": "m", **further, "trace": {"id": trace_id}, "span": {"id": span_id}})


@pytest.mark.parametrize(
    "line",
    [
        document(),
        f'{{"trace.id": "{TRACE}", "span.id" : "{SPAN}"}}'.encode(),
        f'{{"span": {{"id": "{SPAN}"}}, "trace" : {{ "id" : "{TRACE}" }} }}'.encode(),
    ],
)
def test_a_record_names_its_span_in_any_form_of_json(line: bytes) -> None:
    assert followed_span(line, ALL) == IDS


@pytest.mark.parametrize(
    "line",
    [
        b'{"message":"m"}',
        orjson.dumps({"message": document().decode()}),
        orjson.dumps({"labels": {"trace": {"id": TRACE}, "span": {"id": SPAN}}}),
        orjson.dumps({"trace": {"id": TRACE}}),
        document(trace_id="0" * 32),
        document(span_id="0" * 16),
        document(span_id="x"),
        document()[:-1],
        b"[" + document() + b"]",
    ],
)
def test_what_names_no_span_is_not_followed(line: bytes) -> None:
    assert followed_span(line, ALL) is None


def test_the_share_that_is_followed_is_the_same_in_every_process_and_the_one_asked_for() -> None:
    rng = random.Random(1)
    lines = [document(rng.randbytes(16).hex()) for _ in range(4_000)]
    followed = [line for line in lines if followed_span(line, ALL // 4)]

    assert 0.22 < len(followed) / len(lines) < 0.28
    assert all(followed_span(line, ALL // 2) for line in followed)
    assert not any(followed_span(line, 0) for line in lines)


def ignore(_event: Event) -> None:
    """Hear nothing."""


def following_all(file: Path) -> Tracing:
    return tracing_of(Settings(service="s", traces_file=file, traces_sampled=1.0), ignore)


@pytest.mark.parametrize("sampled", [0.0, 0.01, 0.5, 1.0])
def test_a_step_follows_just_the_records_whose_traces_are_followed(sampled: float, tmp_path: Path) -> None:
    """What is looked at first, for speed, decides as the record itself does."""
    rng = random.Random(2)
    lower_halves = ["0" * 16, f"{ALL // 2 - 1:016x}", f"{ALL // 2:016x}", "f" * 16]
    trace_ids = [rng.randbytes(8).hex() + half for half in lower_halves]
    trace_ids += [rng.randbytes(16).hex() for _ in range(100)]
    lines = [
        line
        for trace_id in trace_ids
        for line in (document(trace_id), f'{{"trace.id": "{trace_id}", "span.id" : "{SPAN}"}}'.encode())
    ]
    asked = Settings(service="s", traces_file=tmp_path / "spans.jsonl", traces_sampled=sampled)
    tracing = tracing_of(asked, ignore)
    for line in lines:
        with tracing.spool_append([line]) as step:
            assert step.is_traced is (followed_span(line, round(sampled * ALL)) is not None)


def spans_in(file: Path) -> list[dict[str, Any]]:
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    found: list[dict[str, Any]] = []
    for line in lines:
        for resource_spans in line["resourceSpans"]:
            for scope_spans in resource_spans["scopeSpans"]:
                found += scope_spans["spans"]
    return found


def values(span: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_a_bulk_request_has_a_span_linked_to_its_records_and_the_stores_time_within(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    tracing = following_all(file)
    documents = [document(), document(), document(span_id="00000000000000aa"), b'{"message":"none"}']

    with tracing.bulk(documents, "logs-s-default") as step:
        traceparent = step.headers["traceparent"]
        step.answered(200, 7)
    tracing.close(10)
    index, bulk = spans_in(file)

    assert [bulk["name"], bulk["kind"]] == ["bulk", 3]
    assert bulk["links"] == [
        {"traceId": TRACE, "spanId": SPAN},
        {"traceId": TRACE, "spanId": "00000000000000aa"},
    ]
    assert traceparent == f"00-{bulk['traceId']}-{bulk['spanId']}-{bulk['flags']:02x}"
    assert bulk["flags"] & 1  # sampled
    assert values(bulk)["logging_system.records"] == "4"
    assert values(bulk)["db.collection.name"] == "logs-s-default"
    assert values(bulk)["http.response.status_code"] == "200"
    assert (index["name"], index["traceId"], index["parentSpanId"]) == (
        "index",
        bulk["traceId"],
        bulk["spanId"],
    )
    assert int(index["endTimeUnixNano"]) - int(index["startTimeUnixNano"]) == 7_000_000


@pytest.mark.parametrize(("status", "trouble"), [(503, "HTTP 503"), (None, "no answer")])
def test_a_request_that_failed_has_a_span_in_error(tmp_path: Path, status: int | None, trouble: str) -> None:
    file = tmp_path / "spans.jsonl"
    tracing = following_all(file)
    with tracing.bulk([document()], "s") as step:
        step.failed(trouble) if status is None else step.answered(status, None)
    tracing.close(10)
    (bulk,) = spans_in(file)

    assert bulk["status"] == {"code": 2}
    assert values(bulk)["error.type"] == trouble


def test_links_are_bounded_and_the_span_says_how_many_more_there_were(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    tracing = following_all(file)
    with tracing.spool_append([document(span_id=f"{number:016x}") for number in range(1, 1_001)]):
        pass
    tracing.close(10)
    (span,) = spans_in(file)

    assert len(span["links"]) == LINKS_MAX
    assert span["droppedLinksCount"] == 1_000 - LINKS_MAX


def test_spans_stay_apart_from_those_of_the_application(tmp_path: Path) -> None:
    before = trace.get_tracer_provider()
    file = tmp_path / "spans.jsonl"
    tracing = following_all(file)
    context = trace.SpanContext(5, 6, is_remote=False, trace_flags=trace.TraceFlags(1))
    with (
        trace.use_span(trace.NonRecordingSpan(context)),
        tracing.spool_append([document()]),
    ):
        assert trace.get_current_span().get_span_context() == context
    tracing.close(10)
    (span,) = spans_in(file)

    assert trace.get_tracer_provider() is before
    assert "parentSpanId" not in span
    assert span["traceId"] != f"{5:032x}"


def test_records_that_are_not_followed_make_no_span(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    tracing = tracing_of(Settings(service="s", traces_file=file, traces_sampled=0.0), ignore)
    with tracing.bulk([document()], "s") as step:
        assert not step.is_traced
        assert step.headers == {}
    tracing.close(10)

    assert not file.exists()


def test_without_a_tracer_documents_are_not_even_looked_at() -> None:
    documents = iter([document()])
    with NO_TRACING.bulk(documents, "s") as bulk, NO_TRACING.spool_append(documents) as append:
        assert not bulk.is_traced
        assert not append.is_traced

    assert next(documents) == document()


class Broken:
    def begin(
        self, name: str, attributes: Attributes, links: Iterable[SpanIds], *, is_request: bool
    ) -> OpenSpan:
        raise RuntimeError("broken")

    def flush(self, within_seconds: float) -> bool:
        return True

    def close(self, within_seconds: float) -> None:
        pass


def test_a_tracer_that_raises_stops_no_step() -> None:
    with Tracing(Broken(), 1.0).bulk([document()], "s") as step:
        assert not step.is_traced


@pytest.mark.parametrize("taken", ["opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"])
def test_an_sdk_that_is_not_there_is_told_and_nothing_is_traced(
    taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, taken, None)
    told: list[Event] = []
    tracing = tracing_of(Settings(service="s", traces_endpoint="http://127.0.0.1:9/v1/traces"), told.append)

    assert tracing is NO_TRACING
    assert [event.kind for event in told] == ["tracing_unavailable"]


def test_a_dead_collector_holds_nobody_and_says_nothing_but_the_event(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Event] = []
    tracer = open_tracer("s", told.append, file=None, endpoint="http://127.0.0.1:9/v1/traces")
    tracing = Tracing(tracer, 1.0)
    began_seconds = time.monotonic()
    with tracing.spool_append([document()]):
        pass
    assert time.monotonic() - began_seconds < 1.0
    tracing.close(0.05)

    assert tracer.export.counts().dropped == {"already_shutdown": 1}
    assert [event.kind for event in told] == ["spans_dropped"]
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_file_of_spans_is_renamed_when_it_is_full(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    span = sdk.TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("one")
    span.end()
    spans = [span]
    small = OtlpFile(file, bytes_max=600)
    for _ in range(8):
        assert small.export(spans)

    kept = (tmp_path / "spans.jsonl.1").read_bytes().splitlines() + file.read_bytes().splitlines()
    assert all(orjson.loads(line)["resourceSpans"] for line in kept)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size < 3_000
