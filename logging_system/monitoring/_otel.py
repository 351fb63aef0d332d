"""The only module that asks OpenTelemetry for spans; it may be absent, half loaded or broken.

For a record, nothing is imported that the application has not imported itself: a span can only be current
where somebody has loaded `opentelemetry.trace`. The SDK is loaded by `open_tracer` alone, which is called
where the settings ask for spans of the pipeline.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from logging_system.monitoring.events import Event
from logging_system.monitoring.otlp_file import OtlpFile
from logging_system.monitoring.span_export import Exporter, SpanExport
from logging_system.monitoring.tracing import LINKS_MAX, Attributes, OpenSpan, SpanIds

EXPORT_SECONDS_MAX = 5.0
_SCOPE = "logging_system"

_TRACE = "opentelemetry.trace"
_modules = sys.modules


def current_span_context() -> object | None:
    """Return the context of the span that this thread or task is in, or None; never raises.

    It runs on the caller's time, so nothing is read of it here: ids are checked by whoever writes them down.
    """
    trace = _modules.get(_TRACE)
    if trace is None:
        return None
    try:
        span = trace.get_current_span()
        return None if span is trace.INVALID_SPAN else span.get_span_context()
    except Exception:
        # Without trace ids a record is still a record; who logs is told nothing of another library's trouble.
        return None


def open_tracer(
    service: str, emit: Callable[[Event], None], *, file: Path | None, endpoint: str | None
) -> SdkTracer:
    """Return what makes spans with OpenTelemetry's SDK, apart from what the application has of it.

    Args:
        service: `service.name` of the spans.
        emit: Told of spans that are dropped.
        file: Where spans are appended; None, nowhere.
        endpoint: The URL that OTLP over HTTP posts spans to; None, nowhere.

    Raises:
        Exception: The SDK or the exporter is not installed, or broken.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    exporters: list[Exporter] = [] if file is None else [OtlpFile(file).export]
    if endpoint is not None:
        exporters.append(_http_exporter(endpoint))
    export = SpanExport(exporters, emit)

    class Ended(SpanProcessor):
        def on_end(self, span: object) -> None:
            export.put(span)

    provider = TracerProvider(
        sampler=ALWAYS_ON,  # what is followed was decided before
        resource=Resource.create({"service.name": service}),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_links=LINKS_MAX),
    )
    provider.add_span_processor(Ended())
    return SdkTracer(provider.get_tracer(_SCOPE), export)


class SdkTracer:
    """Makes spans of the pipeline with a tracer of the SDK.

    Args:
        tracer: The SDK's.
        export: Where ended spans go.
    """

    def __init__(self, tracer: Any, export: SpanExport) -> None:
        self._tracer = tracer
        self.export = export
        self.flush = export.flush
        self.close = export.close

    def begin(
        self, name: str, attributes: Attributes, links: Iterable[SpanIds], *, is_request: bool
    ) -> OpenSpan:
        """Begin a span; see `Tracer.begin`."""
        from opentelemetry.context import Context
        from opentelemetry.trace import Link, SpanContext, SpanKind

        span = self._tracer.start_span(
            name,
            Context(),  # whatever span the thread is in, this is a trace of its own
            SpanKind.CLIENT if is_request else SpanKind.INTERNAL,
            attributes,
            [Link(SpanContext(ids.trace_id, ids.span_id, is_remote=True)) for ids in links],
        )
        return _SdkSpan(self._tracer, span)


class _SdkSpan:
    """Keeps what breaks in the SDK from those who tell it something."""

    def __init__(self, tracer: Any, span: Any) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def traceparent(self) -> str:
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def note(self, attributes: Attributes) -> None:
        with contextlib.suppress(Exception):
            self._span.set_attributes(attributes)

    def add_child(self, name: str, attributes: Attributes, start_ns: int, end_ns: int) -> None:
        with contextlib.suppress(Exception):
            from opentelemetry.trace import set_span_in_context

            parent = set_span_in_context(self._span)
            child = self._tracer.start_span(name, parent, attributes=attributes, start_time=start_ns)
            child.end(end_ns)

    def end(self, trouble: str) -> None:
        with contextlib.suppress(Exception):
            if trouble:
                from opentelemetry.trace import Status, StatusCode

                self._span.set_attribute("error.type", trouble)
                self._span.set_status(Status(StatusCode.ERROR, trouble))
            self._span.end()


def _http_exporter(endpoint: str) -> Exporter:
    from opentelemetry.exporter.otlp.proto.http import trace_exporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    exporter = trace_exporter.OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS_MAX)
    # What it cannot deliver is counted and told here: it would log each failure on standard error beside.
    logging.getLogger(trace_exporter.__name__).addFilter(_is_not_ours)
    export: Any = exporter.export
    return lambda spans: export(spans) is SpanExportResult.SUCCESS


def _is_not_ours(_record: logging.LogRecord) -> bool:
    return not threading.current_thread().name.startswith(f"{_SCOPE}.")
