"""Handlers that count what others log, beside an honest shipper: one as it should be, and two bad habits."""

from __future__ import annotations

import logging
import time
from collections import Counter

WAITING_CALLS = 10
WAITED_SECONDS = 0.2
# A list of so many numbers takes more than 6 KiB: six thousand of them, with what waits for the store, keep
# the promise of 64 MiB, twice as many do not.
HISTOGRAM_BUCKETS = 800


class CountsByLevel(logging.Handler):
    """It knows how many records of each level there were, and nothing else."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.counts: Counter[int] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record."""
        self.counts[record.levelno] += 1


class ReportsOnTheCallersThread(CountsByLevel):
    """What it counted it sends somewhere with every tenth log call, which waits for the answer."""

    calls = 0

    def handle(self, record: logging.LogRecord) -> bool:
        """Count, and wait outside the handler's lock."""
        self.calls += 1
        if self.calls % WAITING_CALLS == 0:
            time.sleep(WAITED_SECONDS)
        return bool(super().handle(record))


class KeepsAHistogramForEachMessage(CountsByLevel):
    """Messages are few, it was thought, so that each can have its own histogram."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.histograms: dict[str, list[int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record by its message."""
        histogram = self.histograms.setdefault(record.getMessage(), [0] * HISTOGRAM_BUCKETS)
        histogram[min(len(record.getMessage()), HISTOGRAM_BUCKETS - 1)] += 1
