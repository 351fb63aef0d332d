"""What it costs a log call to ask which span it is in."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from logging_system.monitoring._otel import current_span_context


@dataclass(frozen=True)
class InASpan:
    """So many calls, made while a span is current."""

    calls: int
    span: NonRecordingSpan
    logger: logging.Logger


def in_a_span(number: int) -> InASpan:
    """Return the work: a span, and a logger that keeps nothing."""
    logger = logging.Logger("nowhere", logging.INFO)
    logger.addHandler(logging.NullHandler())
    context = SpanContext(2**127 + 1, 2**63 + 1, is_remote=False, trace_flags=TraceFlags(1))
    return InASpan(number, NonRecordingSpan(context), logger)


def read_spans(work: InASpan) -> None:
    """Ask as a handler does."""
    with use_span(work.span):
        for _ in range(work.calls):
            current_span_context()


def log_in_span(work: InASpan) -> None:
    """Make a log call each."""
    with use_span(work.span):
        for number in range(work.calls):
            work.logger.info("order %d was paid in %d ms", number, 7)
