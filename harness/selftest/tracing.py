"""A small honest shipper that stores in which span a record was logged, and its careless twins.

The span is read on the caller's thread, where OpenTelemetry has it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from harness.selftest.shipper import HonestShipper, Waiting

Ids = tuple[int, int]


class TracingShipper(HonestShipper):
    """Stores `trace.id` and `span.id` beside the message."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with no span beside any message."""
        self.spans: dict[int, Ids] = {}
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Take a record with its span."""
        if (ids := self.current()) is not None:
            self.spans[waiting.number] = ids
        super().accept(waiting)

    def current(self) -> Ids | None:
        """Return the ids of the span that this thread is in."""
        from opentelemetry.trace import get_current_span

        context = get_current_span().get_span_context()
        return (context.trace_id, context.span_id) if context.is_valid else None

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Return the document, with the ids."""
        document = super().document(waiting)
        if (ids := self.spans.get(waiting.number)) is None:
            return document
        return {**document, "trace": {"id": f"{ids[0]:032x}"}, "span": {"id": f"{ids[1]:016x}"}}


class LosesTraceIds(TracingShipper):
    """A batch that has to be sent again is sent without them: they were in the request that failed."""

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Return the document, with the ids at the first try alone."""
        if waiting.sent_times > 1:
            self.spans.pop(waiting.number, None)
        return super().document(waiting)


class SwapsSpansBetweenThreads(TracingShipper):
    """It keeps the current span in one place for all threads, and reads it a moment later."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with no span."""
        self.latest: Ids | None = None
        self.noting = threading.Lock()
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Take a record with the span of whichever thread came before."""
        with self.noting:
            before, self.latest = self.latest, super().current()
            if before is not None:
                self.spans[waiting.number] = before
        HonestShipper.accept(self, waiting)
