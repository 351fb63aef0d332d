"""A record is logged in the span that it says, whichever intake it takes; a record of none, in none."""

import logging

import orjson
import pytest

from harness.evidence.spans import span_of
from harness.load.intakes.http import Http
from harness.load.intakes.python_logging import PythonLogging
from harness.model.protocols import Record

SPANS = [span_of("run-1", sequence) for sequence in range(8)]


class KeepsSpans(logging.Handler):
    """Keeps the ids of the span that is current in each log call."""

    kept: list[tuple[str, str]] = []  # noqa: RUF012 - the intake makes the handler itself

    def emit(self, record):
        from opentelemetry.trace import get_current_span

        context = get_current_span().get_span_context()
        self.kept.append((f"{context.trace_id:032x}", f"{context.span_id:016x}"))


def test_a_log_call_is_made_within_the_span():
    pytest.importorskip("opentelemetry.trace")
    intake = PythonLogging(f"{__name__}:KeepsSpans")
    intake.open(lambda _sequences: None)
    for sequence, span in enumerate(SPANS):
        intake.send(Record(sequence, "line", span=span))
    intake.close()

    assert KeepsSpans.kept == [("0" * 32, "0" * 16) if span is None else tuple(span) for span in SPANS]


def test_a_template_has_the_ids_and_empty_texts_outside_every_span():
    template = '{"m": "$line", "traceId": "$trace_id", "spanId": "$span_id"}'
    intake = Http("http://127.0.0.1:9/", template=template)
    bodies = [orjson.loads(intake._body([Record(0, "line", span=span)])) for span in SPANS]

    assert [(body["traceId"], body["spanId"]) for body in bodies] == [
        ("", "") if span is None else tuple(span) for span in SPANS
    ]
