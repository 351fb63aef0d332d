"""Which span a record was logged in, as fields of its document.

ECS has `trace.id` and `span.id`, in the hexadecimal of W3C Trace Context, and nothing for the flags: they are
a label, as those of OTLP records are, unless they are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

FLAGS_LABEL = "otel.flags"

_TRACE_IDS_END, _SPAN_IDS_END = 2**128, 2**64
_FLAGS_END = 2**8


class TraceFields(NamedTuple):
    """Ids in hexadecimal digits, and the flags of W3C Trace Context."""

    trace_id: str
    span_id: str
    flags: int


def trace_fields(attributes: Mapping[str, object], context: Any) -> TraceFields | None:
    """Return the fields of the span that a record was logged in, or None where it was in none; never raises.

    Args:
        attributes: The record's attributes. What OpenTelemetry's logging instrumentation put there when the
            record was made goes first: a `QueueListener` hands records on from a thread of its own.
        context: OpenTelemetry's `SpanContext` where the record was handled, or anything else that is there.
    """
    if "otelTraceID" in attributes and (told := _told(attributes)) is not None:
        return told
    if context is None:
        return None
    try:
        return _fields(int(context.trace_id), int(context.span_id), int(context.trace_flags))
    except Exception:  # whatever a broken library has for a context
        return None


def _told(attributes: Mapping[str, object]) -> TraceFields | None:
    try:
        trace_id, span_id = int(str(attributes["otelTraceID"]), 16), int(str(attributes["otelSpanID"]), 16)
    except Exception:
        return None
    return _fields(trace_id, span_id, 1 if attributes.get("otelTraceSampled") is True else 0)


def _fields(trace_id: int, span_id: int, flags: int) -> TraceFields | None:
    if not (0 < trace_id < _TRACE_IDS_END and 0 < span_id < _SPAN_IDS_END):
        return None
    return TraceFields(f"{trace_id:032x}", f"{span_id:016x}", flags if 0 <= flags < _FLAGS_END else 0)
