"""Appends spans to a file as OTLP writes them in JSON, one request a line.

Format: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/; the Collector's `otlpjsonfile`
receiver reads it, and so does `jq`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from logging_system.spool.disk import write_fully
from logging_system.spool.segment import FILE_MODE

FILE_BYTES_MAX = 64 * 1024 * 1024
"""Beyond it the file is renamed to `<name>.1`, in place of the one before."""

_OPENINGS_MAX = 3


class OtlpFile:
    """A file of spans, which any number of processes may append to.

    Args:
        path: The file; created where it is missing.
        bytes_max: How large it may become, roughly.
    """

    def __init__(self, path: Path, bytes_max: int = FILE_BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max

    def export(self, spans: Sequence[Any]) -> bool:
        """Append spans of OpenTelemetry's SDK.

        Args:
            spans: Ended ones; together they are one line of the file.

        Returns:
            True: what is not written raises.

        Raises:
            OSError: The file cannot be written.
        """
        line = orjson.dumps(request_of(spans)) + b"\n"
        descriptor = self._open()
        try:
            write_fully(descriptor, line)
        finally:
            os.close(descriptor)  # and with it its lock
        return True

    def _open(self) -> int:
        for _ in range(_OPENINGS_MAX):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size < self._bytes_max:
                return descriptor
            # Only whoever has the lock of the file that still has this name renames it.
            if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                self._path.rename(f"{self._path}.1")
            os.close(descriptor)
        raise OSError(f"{self._path}: it is full as soon as it is made")


def request_of(spans: Sequence[Any]) -> dict[str, object]:
    """Return an ExportTraceServiceRequest of spans of one provider, which share their resource and scope."""
    first = spans[0]
    scope = {"name": first.instrumentation_scope.name, "version": first.instrumentation_scope.version or ""}
    scope_spans = {"scope": scope, "spans": [_span(span) for span in spans]}
    resource = {"attributes": _attributes(first.resource.attributes)}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope_spans]}]}


def _span(span: Any) -> dict[str, object]:
    parent = {} if span.parent is None else {"parentSpanId": f"{span.parent.span_id:016x}"}
    dropped = {"droppedLinksCount": span.dropped_links} if span.dropped_links else {}
    status = span.status.status_code.value
    return {
        **_ids(span.context),
        **parent,
        "flags": int(span.context.trace_flags),
        "name": span.name,
        "kind": span.kind.value + 1,  # in OTLP 0 is for one that was not told
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes),
        "links": [_ids(link.context) for link in span.links],
        **dropped,
        "status": {"code": status} if status else {},
    }


def _ids(context: Any) -> dict[str, str]:
    return {"traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"}


def _attributes(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": str(value)}
