"""The pipeline traces itself: spans of what happens to records, linked to the spans they were logged in.

```
application's trace      span ◀┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┐ ◀┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┐
handler or gateway       spool append ┄┄┄ link ┘                     │
shipper                  bulk ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ link ┘
                          └─ index, for as long as the store says it took
```

Sampled are the traces of records, by their ids and so alike in every process: a record that is followed at
all is followed from the spool to the store. A step of records that are not followed makes no span.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol

import orjson

LINKS_MAX = 128
"""Links of one span; OTLP tells how many more there were."""

# As handler and gateway write it, and in any other form of JSON.
_COMPACT = b'"trace":{"id":"'
_LOWER_HALF, _ID_END = len(_COMPACT) + 16, len(_COMPACT) + 32
_TRACE_ID = re.compile(rb'"trace(?:"\s*:\s*\{\s*"id|\.id)"\s*:\s*"([0-9a-f]{32})"')
_TRACE_HEX, _SPAN_HEX = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{16}")
_SHARE_OF = 2**64
_MILLISECOND_NS = 1_000_000

Attributes = Mapping[str, str | int | bool]


class SpanIds(NamedTuple):
    """A span that a record was logged in."""

    trace_id: int
    span_id: int


class OpenSpan(Protocol):
    """A span of the pipeline that has not ended."""

    @property
    def traceparent(self) -> str:
        """The header of W3C Trace Context."""

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""

    def add_child(self, name: str, attributes: Attributes, start_ns: int, end_ns: int) -> None:
        """Add a span within this one.

        Args:
            name: The span's name.
            attributes: What else it says.
            start_ns: When it began, in ns since 1970.
            end_ns: When it ended, in ns since 1970.
        """

    def end(self, trouble: str) -> None:
        """End it, in trouble unless that is empty."""


class Tracer(Protocol):
    """Begins spans; ended, they go where it was told."""

    def begin(
        self, name: str, attributes: Attributes, links: Iterable[SpanIds], *, is_request: bool
    ) -> OpenSpan:
        """Begin a span of its own trace.

        Args:
            name: The span's name.
            attributes: What else it says.
            links: The spans that the records in hand were logged in.
            is_request: Whether it is a request to another system: its kind is then client, else internal.

        Returns:
            The span, to be ended by the caller.
        """

    def flush(self, within_seconds: float) -> bool:
        """Wait for what has ended to be exported; whether it was in time.

        Args:
            within_seconds: How long to wait at most.
        """

    def close(self, within_seconds: float) -> None:
        """Export what has ended; what is not done in time is dropped and counted.

        Args:
            within_seconds: How long that may take.
        """


class Step:
    """Something that is being done to records, as a context manager; this one is not traced.

    Attributes:
        is_traced: Whether it has a span, so that telling it more is of use.
    """

    is_traced = False
    headers: Mapping[str, str] = {}

    def __enter__(self) -> Step:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def failed(self, trouble: str) -> None:
        """Note that it came to nothing.

        Args:
            trouble: Why, in one word or two.
        """

    def answered(self, status: int, took_ms: int | None) -> None:
        """Note the store's answer.

        Args:
            status: Its HTTP status.
            took_ms: The time that the store says it took, in ms; None where it does not say.
        """


class _TracedStep(Step):
    is_traced = True

    def __init__(self, span: OpenSpan) -> None:
        self._span = span
        self._trouble = ""
        self._outer: Mapping[str, str] = {}
        traceparent = span.traceparent
        if traceparent:
            self.headers = {"traceparent": traceparent}

    def __enter__(self) -> Step:
        self._outer = current_headers()
        _current.headers = self.headers
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.headers = self._outer
        self._span.end(kind.__name__ if kind is not None else self._trouble)

    def failed(self, trouble: str) -> None:
        self._trouble = trouble

    def answered(self, status: int, took_ms: int | None) -> None:
        self._span.note({"http.response.status_code": status})
        if not 200 <= status < 300:
            self._trouble = f"HTTP {status}"
        if took_ms is not None:
            end_ns = time.time_ns()
            # When the store began is not told: the answer's way back counts as none.
            took: Attributes = {"logging_system.took_ms": took_ms}
            self._span.add_child("index", took, end_ns - took_ms * _MILLISECOND_NS, end_ns)


_UNTRACED = Step()
_NO_HEADERS: Mapping[str, str] = {}


class _Current(threading.local):
    """What requests of this thread carry."""

    headers: Mapping[str, str] = _NO_HEADERS


_current = _Current()


def current_headers() -> Mapping[str, str]:
    """Return the W3C Trace Context of the step that this thread is in; nothing where it is in none."""
    return _current.headers


class Tracing:
    """What makes spans of steps; without a tracer, none.

    Args:
        tracer: Begins spans; may raise whatever it wants.
        sampled: The share of the records' traces that are followed, 0 to 1.
    """

    def __init__(self, tracer: Tracer | None = None, sampled: float = 0.0) -> None:
        self._tracer = tracer
        self._bound = round(sampled * _SHARE_OF)
        # Sorts behind each lower half of an id that is not followed, in hexadecimal, where all are.
        self._bound_digits = b"%016x" % self._bound if self._bound < _SHARE_OF else b"g"

    def spool_append(self, documents: Iterable[bytes]) -> Step:
        """Return the step that makes documents durable in the spool."""
        return _UNTRACED if self._tracer is None else self._step("spool append", documents, {})

    def bulk(self, documents: Iterable[bytes], stream: str) -> Step:
        """Return the step that sends documents to the store.

        Args:
            documents: All of one request; not looked at where nothing is traced.
            stream: The data stream.
        """
        if self._tracer is None:
            return _UNTRACED
        named: Attributes = {
            "db.system.name": "elasticsearch",
            "db.operation.name": "bulk",
            "db.collection.name": stream,
        }
        return self._step("bulk", documents, named, is_request=True)

    def look_up(self, documents: Iterable[bytes]) -> Step:
        """Return the step that asks the store which documents it has; all its requests carry its context."""
        return _UNTRACED if self._tracer is None else self._step("look up", documents, {})

    def flush(self, within_seconds: float) -> None:
        """Wait for spans that have ended to be exported, but not longer than `within_seconds`."""
        if self._tracer is not None:
            self._tracer.flush(within_seconds)

    def close(self, within_seconds: float) -> None:
        """Export what has ended; what is not done in time is dropped, counted and told."""
        if self._tracer is not None:
            self._tracer.close(within_seconds)

    def _step(
        self, name: str, documents: Iterable[bytes], attributes: Attributes, *, is_request: bool = False
    ) -> Step:
        if not isinstance(documents, Sequence):
            documents = list(documents)
        compact, bound = _COMPACT, self._bound_digits
        # Of most records nothing but this is done: they are in no trace, or in one that is not followed.
        candidates = [
            document
            for document in documents
            if (at := document.rfind(compact)) < 0 or document[at + _LOWER_HALF : at + _ID_END] < bound
        ]
        followed: dict[SpanIds, None] = {}
        for document in candidates:
            if b'"trace' in document and (ids := followed_span(document, self._bound)) is not None:
                followed[ids] = None
        if self._tracer is None or not followed:
            return _UNTRACED
        counted = {
            **attributes,
            "logging_system.records": len(documents),
            "logging_system.bytes": sum(map(len, documents)),
        }
        try:
            return _TracedStep(self._tracer.begin(name, counted, followed, is_request=is_request))
        except Exception:  # records go their way whatever is wrong with their spans
            return _UNTRACED


NO_TRACING = Tracing()


def followed_span(document: bytes, bound: int) -> SpanIds | None:
    """Return the span that a record was logged in, where its trace is among those that are followed.

    As OpenTelemetry's `TraceIdRatioBased` has it, the lower half of the id decides.

    Args:
        document: The record's JSON.
        bound: What the lower 64 bits of a followed trace's id are below.
    """
    found = _TRACE_ID.search(document)
    if found is None or int(found[1][16:], 16) >= bound:
        return None
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError:
        return None
    # Read for certain: a message may quote another record.
    trace_id, span_id = (_id_of(content, name) for name in ("trace", "span"))
    if not (_TRACE_HEX.fullmatch(trace_id) and _SPAN_HEX.fullmatch(span_id)):
        return None
    ids = SpanIds(int(trace_id, 16), int(span_id, 16))
    return ids if ids.trace_id % _SHARE_OF < bound and ids.trace_id and ids.span_id else None


def _id_of(content: object, name: str) -> str:
    if not isinstance(content, dict):
        return ""
    inner = content.get(name)
    found = inner.get("id") if isinstance(inner, dict) else content.get(f"{name}.id")
    return found if isinstance(found, str) else ""
