"""Whatever an exporter does, whoever ends a span goes on, and each span is exported or counted as dropped."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.span_export import (
    BATCH_SPANS_MAX,
    QUEUE_SPANS_MAX,
    Exporter,
    SpanCounts,
    SpanExport,
)

SECONDS = 10.0


class Collector:
    """Keeps spans, or does what else an exporter may do to them."""

    def __init__(self, outcome: Callable[[], bool] = lambda: True) -> None:
        self.spans: list[object] = []
        self._outcome = outcome

    def __call__(self, spans: Sequence[object]) -> bool:
        taken = self._outcome()
        self.spans += spans
        return taken


def raising() -> bool:
    raise ConnectionError("refused")


class Hanging:
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        self.reached, self.let_go = threading.Event(), threading.Event()

    def __call__(self, spans: Sequence[object]) -> bool:
        self.reached.set()
        return self.let_go.wait(SECONDS)


@pytest.fixture(name="hanging")
def _hanging() -> Iterator[Hanging]:
    exporter = Hanging()
    yield exporter
    exporter.let_go.set()


def export_to(*exporters: Exporter) -> tuple[SpanExport, EventStream]:
    events = EventStream()
    return SpanExport(exporters, events.emit), events


def accounted(counts: SpanCounts) -> bool:
    return counts.ended == counts.exported + counts.waiting + sum(counts.dropped.values())


def test_spans_reach_every_exporter_in_order() -> None:
    both = Collector(), Collector()
    export, _events = export_to(*both)
    for number in range(1_200):
        export.put(number)

    assert export.flush(SECONDS)
    assert export.counts() == SpanCounts(ended=1_200, exported=1_200)
    assert [each.spans for each in both] == [list(range(1_200))] * 2


@pytest.mark.parametrize("outcome", [raising, lambda: False])
def test_what_an_exporter_does_not_take_is_counted_and_told(outcome: Callable[[], bool]) -> None:
    export, events = export_to(Collector(outcome), Collector())
    export.put("a")
    export.put("b")

    assert export.flush(SECONDS)
    assert export.counts() == SpanCounts(ended=2, dropped={"export_failed": 2})
    assert events.counts() == {"spans_dropped": 2}


def test_beyond_a_full_queue_spans_are_dropped_and_nobody_waits(hanging: Hanging) -> None:
    export, events = export_to(hanging)
    for number in range(BATCH_SPANS_MAX):
        export.put(number)
    assert hanging.reached.wait(SECONDS)
    began_seconds = time.monotonic()
    for number in range(QUEUE_SPANS_MAX + 7):
        export.put(number)
    took_seconds = time.monotonic() - began_seconds

    counts = export.counts()
    assert counts.dropped == {"queue_full": 7}
    assert counts.waiting == BATCH_SPANS_MAX + QUEUE_SPANS_MAX
    assert accounted(counts)
    assert events.counts() == {"spans_dropped": 7}
    assert took_seconds < SECONDS / 2


def test_a_close_is_bounded_and_what_was_left_or_comes_later_is_counted(hanging: Hanging) -> None:
    export, events = export_to(hanging)
    export.put("in hand")
    assert hanging.reached.wait(SECONDS)
    export.put("waiting")

    export.close(0.05)
    export.put("after the end")
    hanging.let_go.set()

    assert export.counts() == SpanCounts(ended=3, dropped={"already_shutdown": 3})
    assert events.counts() == {"spans_dropped": 3}


def test_a_close_exports_what_waits_and_a_second_one_changes_nothing() -> None:
    collector = Collector()
    export, _events = export_to(collector)
    export.put("a")
    export.close(SECONDS)
    export.close(SECONDS)

    assert collector.spans == ["a"]
    assert export.counts() == SpanCounts(ended=1, exported=1)


def test_a_forked_child_begins_with_no_spans_and_a_thread_of_its_own(tmp_path: Path) -> None:
    collector = Collector()
    export, _events = export_to(collector)
    export.put("parent's")
    child = os.fork()
    if child == 0:
        export.put("child's")
        fine = export.flush(SECONDS) and export.counts() == SpanCounts(ended=1, exported=1)
        os._exit(0 if fine and collector.spans[-1] == "child's" else 1)
    _pid, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert export.flush(SECONDS)
    assert collector.spans == ["parent's"]
